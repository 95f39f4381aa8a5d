// SPDX-License-Identifier: Apache-2.0
#define OPENSSL_SUPPRESS_DEPRECATED /* GStreamer 1.22 still makes its key by the old functions */
#include "tests/meeting/dtls_key.h"

#include <glib.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define BITS 2048

static RSA *shared; /* owned: for as long as the process lives */

static int give_shared(RSA *rsa, int bits, BIGNUM *e, BN_GENCB *progress)
{
    RSA_set_method(rsa, RSA_PKCS1_OpenSSL()); /* the copy is a key like any other */
    if (bits != BITS || BN_cmp(e, RSA_get0_e(shared)) != 0)
        return RSA_generate_key_ex(rsa, bits, e, progress);
    return RSA_set0_key(rsa, BN_dup(RSA_get0_n(shared)), BN_dup(RSA_get0_e(shared)),
                        BN_dup(RSA_get0_d(shared))) &&
           RSA_set0_factors(rsa, BN_dup(RSA_get0_p(shared)), BN_dup(RSA_get0_q(shared))) &&
           RSA_set0_crt_params(rsa, BN_dup(RSA_get0_dmp1(shared)), BN_dup(RSA_get0_dmq1(shared)),
                               BN_dup(RSA_get0_iqmp(shared)));
}

void meeting_dtls_key_share(const char *path)
{
    BIO *file = BIO_new_file(path, "r");
    if (file != NULL)
        shared = PEM_read_bio_RSAPrivateKey(file, NULL, NULL, NULL);
    BIO_free(file);
    if (shared == NULL || RSA_bits(shared) != BITS) {
        g_debug("%s holds no RSA key of %d bits: each process makes its own", path, BITS);
        g_clear_pointer(&shared, RSA_free);
        ERR_clear_error();
        return;
    }
    RSA_METHOD *method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
    RSA_meth_set_keygen(method, give_shared);
    RSA_set_default_method(method);
}
