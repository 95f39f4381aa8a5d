/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/sigv4.h"

/*
 * The worked examples of the Amazon S3 API Reference ("Signature Calculations for the Authorization
 * Header: Transferring Payload in a Single Chunk", "... Query Parameters").
 */

#define DATE "20130524T000000Z"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HOST "examplebucket.s3.amazonaws.com"

static const BotSigV4Key example = {"AKIAIOSFODNN7EXAMPLE",
                                    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL, "us-east-1"};

static void check(const BotSigV4Request *request, const char *names, const char *signature)
{
    g_autofree char *got = bot_sigv4_sign(&example, request);
    g_autofree char *expected =
        g_strdup_printf("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
                        "aws4_request,SignedHeaders=%s,Signature=%s",
                        names, signature);
    g_assert_cmpstr(got, ==, expected);
}

static void get_object(void)
{
    const char *const headers[] = {
        "host", HOST,         "range", "bytes=0-9", "x-amz-content-sha256",
        EMPTY,  "x-amz-date", DATE,    NULL};
    BotSigV4Request request = {"GET", "/test.txt", "", headers, EMPTY, DATE};
    check(&request, "host;range;x-amz-content-sha256;x-amz-date",
          "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void put_object(void)
{
    static const char payload[] =
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    const char *const headers[] = {"date",
                                   "Fri, 24 May 2013 00:00:00 GMT",
                                   "host",
                                   HOST,
                                   "x-amz-content-sha256",
                                   payload,
                                   "x-amz-date",
                                   DATE,
                                   "x-amz-storage-class",
                                   "REDUCED_REDUNDANCY",
                                   NULL};
    BotSigV4Request request = {"PUT", "/test%24file.text", "", headers, payload, DATE};
    check(&request, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
          "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void queries(void)
{
    const char *const headers[] = {"host", HOST, "x-amz-content-sha256", EMPTY, "x-amz-date",
                                   DATE,   NULL};
    BotSigV4Request lifecycle = {"GET", "/", "lifecycle=", headers, EMPTY, DATE};
    check(&lifecycle, "host;x-amz-content-sha256;x-amz-date",
          "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    BotSigV4Request list = {"GET", "/", "max-keys=2&prefix=J", headers, EMPTY, DATE};
    check(&list, "host;x-amz-content-sha256;x-amz-date",
          "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void presigned(void)
{
    g_autofree char *query = bot_sigv4_presign(&example, "GET", HOST, "/test.txt", DATE, 86400);
    g_assert_cmpstr(
        query, ==,
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
        "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
        "&X-Amz-SignedHeaders=host&X-Amz-Signature="
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sigv4/get_object", get_object);
    g_test_add_func("/sigv4/put_object", put_object);
    g_test_add_func("/sigv4/queries", queries);
    g_test_add_func("/sigv4/presigned", presigned);
    return g_test_run();
}
