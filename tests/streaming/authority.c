/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/streaming/authority.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct Authority {
    EVP_PKEY *key;
    X509 *x509;
};

static void add_extension(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    g_assert_nonnull(extension);
    g_assert_cmpint(X509_add_ext(x509, extension, -1), ==, 1);
    X509_EXTENSION_free(extension);
}

static X509 *make(EVP_PKEY *key, const char *name)
{
    X509 *x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), (long)(g_random_int() >> 1));
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 86400);
    X509_set_pubkey(x509, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               (const guchar *)name, -1, -1, 0);
    return x509;
}

static char *to_pem(X509 *x509, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (key != NULL) {
        PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    }
    PEM_write_bio_X509(bio, x509);
    char *data;
    long length = BIO_get_mem_data(bio, &data);
    char *pem = g_strndup(data, (gsize)length);
    BIO_free(bio);
    return pem;
}

Authority *authority_new(void)
{
    Authority *authority = g_new0(Authority, 1);
    authority->key = EVP_EC_gen("P-256");
    authority->x509 = make(authority->key, "Test Authority");
    X509_set_issuer_name(authority->x509, X509_get_subject_name(authority->x509));
    add_extension(authority->x509, NID_basic_constraints, "critical,CA:TRUE");
    g_assert_cmpint(X509_sign(authority->x509, authority->key, EVP_sha256()), >, 0);
    return authority;
}

void authority_free(Authority *authority)
{
    X509_free(authority->x509);
    EVP_PKEY_free(authority->key);
    g_free(authority);
}

char *authority_pem(Authority *authority)
{
    return to_pem(authority->x509, NULL);
}

GTlsCertificate *authority_issue(Authority *authority, const char *hosts)
{
    g_autoptr(GError) error = NULL;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = make(key, "consumer");
    X509_set_issuer_name(x509, X509_get_subject_name(authority->x509));
    add_extension(x509, NID_subject_alt_name, hosts);
    g_assert_cmpint(X509_sign(x509, authority->key, EVP_sha256()), >, 0);
    g_autofree char *pem = to_pem(x509, key);
    GTlsCertificate *certificate = g_tls_certificate_new_from_pem(pem, -1, &error);
    g_assert_no_error(error);
    X509_free(x509);
    EVP_PKEY_free(key);
    return certificate;
}
