/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

/* Both sides of each border of the registries' ranges, and addresses inside addresses. */
static void which_are_public(void)
{
    static const struct {
        const char *text;
        bool is_public;
    } cases[] = {
        {"8.8.8.8", true},
        {"93.184.216.34", true},
        {"1.1.1.1", true},
        {"172.32.0.1", true},
        {"172.15.255.255", true},
        {"100.128.0.1", true},
        {"100.63.255.255", true},
        {"192.0.1.1", true},
        {"198.17.255.255", true},
        {"198.20.0.1", true},
        {"203.0.114.1", true},
        {"223.255.255.255", true},
        {"11.0.0.1", true},
        {"9.255.255.255", true},
        {"128.0.0.1", true},
        {"169.253.255.255", true},
        {"192.169.0.1", true},
        {"2606:4700::1111", true},
        {"2a00:1450::1", true},
        {"2001:4860:4860::8888", true},
        {"2001:200::1", true},
        {"::ffff:8.8.8.8", true},
        {"64:ff9b::808:808", true},
        {"2002:808:808::", true},
        {"127.0.0.1", false},
        {"127.9.9.9", false},
        {"10.1.2.3", false},
        {"10.255.255.255", false},
        {"172.16.0.1", false},
        {"172.31.255.9", false},
        {"192.168.1.1", false},
        {"169.254.169.254", false},
        {"100.64.0.1", false},
        {"100.127.255.255", false},
        {"0.0.0.0", false},
        {"0.1.2.3", false},
        {"192.0.0.1", false},
        {"192.0.2.1", false},
        {"192.88.99.1", false},
        {"198.18.0.1", false},
        {"198.19.0.1", false},
        {"198.51.100.7", false},
        {"203.0.113.9", false},
        {"224.0.0.1", false},
        {"239.255.255.250", false},
        {"240.0.0.1", false},
        {"255.255.255.255", false},
        {"::", false},
        {"::1", false},
        {"::7f00:1", false},
        {"fe80::1", false},
        {"febf::1", false},
        {"fec0::1", false},
        {"fc00::1", false},
        {"fd00::1", false},
        {"fd00:ec2::254", false},
        {"ff02::1", false},
        {"100::1", false},
        {"2001::1", false},
        {"2001:1::1", false},
        {"2001:db8::1", false},
        {"3fff::1", false},
        {"3fff:fff::1", false},
        {"4000::1", false},
        {"5f00::1", false},
        {"8000::1", false},
        {"64:ff9b::7f00:1", false},
        {"64:ff9b::a9fe:a9fe", false},
        {"64:ff9b:1::808:808", false},
        {"::ffff:127.0.0.1", false},
        {"::ffff:10.0.0.1", false},
        {"::ffff:169.254.169.254", false},
        {"2002:7f00:1::", false},
        {"2002:a00:1::1", false},
        {"2002:c0a8:101::", false},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GInetAddress) address = g_inet_address_new_from_string(cases[i].text);
        g_assert_nonnull(address);
        g_test_message("%s", cases[i].text);
        g_assert_true(base_address_is_public(address) == cases[i].is_public);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/address/which_are_public", which_are_public);
    return g_test_run();
}
