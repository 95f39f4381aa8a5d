// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/cert.h"

#include "tests/meeting/scenario.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define HOSTS                                                                                      \
    "DNS:meet.google.com,DNS:teams.microsoft.com,DNS:teams.live.com,DNS:zoom.us,DNS:*.zoom.us,"    \
    "DNS:localhost,IP:127.0.0.1"

static bool sign(X509 *x509, EVP_PKEY *key)
{
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), (long)(g_random_int() >> 1));
    X509_gmtime_adj(X509_getm_notBefore(x509), -86400);
    X509_gmtime_adj(X509_getm_notAfter(x509), 30 * 86400);
    X509_set_pubkey(x509, key);
    X509_NAME *name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const guchar *)"steno-meeting", -1, -1,
                               0);
    X509_set_issuer_name(x509, name);
    X509_EXTENSION *hosts = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, HOSTS);
    bool ok = hosts != NULL && X509_add_ext(x509, hosts, -1) && X509_sign(x509, key, EVP_sha256());
    X509_EXTENSION_free(hosts);
    return ok;
}

static char *spki_hash(X509 *x509)
{
    guint8 *der = NULL;
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);
    if (length <= 0)
        return NULL;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(sum, der, length);
    OPENSSL_free(der);
    guint8 digest[32];
    gsize n = sizeof digest;
    g_checksum_get_digest(sum, digest, &n);
    return g_base64_encode(digest, n);
}

static GTlsCertificate *to_glib(X509 *x509, EVP_PKEY *key, GError **error)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem = NULL;
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    PEM_write_bio_X509(bio, x509);
    long length = BIO_get_mem_data(bio, &pem);
    GTlsCertificate *certificate = g_tls_certificate_new_from_pem(pem, length, error);
    BIO_free(bio);
    return certificate;
}

GTlsCertificate *meeting_cert_new(char **ret_spki, GError **error)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    GTlsCertificate *certificate = NULL;
    if (key != NULL && x509 != NULL && sign(x509, key))
        certificate = to_glib(x509, key, error);
    else
        g_set_error(error, MEETING_ERROR, MEETING_ERROR_NETWORK, "cannot make a certificate");
    if (certificate != NULL)
        *ret_spki = spki_hash(x509);
    X509_free(x509);
    EVP_PKEY_free(key);
    return certificate;
}
