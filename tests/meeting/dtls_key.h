// SPDX-License-Identifier: Apache-2.0
#pragma once

/**
 * meeting_dtls_key_share:
 * @path: an RSA key of 2048 bits as PEM
 *
 * GStreamer makes an RSA key for the DTLS of each process, which keeps a processor busy for 0.1 to
 * 0.2 s. From here on OpenSSL gives the file's key to whoever wants a new one of 2048 bits: the
 * tests have hundreds of meetings, and nothing that these say is secret. Without such a key in the
 * file, each process makes its own as ever.
 *
 * To be called once, before any other thread uses OpenSSL.
 * RSA_meth_set_keygen(3)
 */
void meeting_dtls_key_share(const char *path);
