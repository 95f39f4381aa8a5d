/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <string.h>

typedef struct {
    guint8 bytes[16];
    guint bits;
} Range;

/* https://www.iana.org/assignments/iana-ipv4-special-registry */
static const Range special_4[] = {
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 4},
    {{240}, 4},
};

/* https://www.iana.org/assignments/iana-ipv6-special-registry; beyond 2000::/3 nothing is public */
static const Range special_6[] = {
    {{0x20, 0x01}, 23},
    {{0x20, 0x01, 0x0d, 0xb8}, 32},
    {{0x3f, 0xff}, 20},
};
static const Range global_6 = {{0x20}, 3};
static const Range mapped_6 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
static const Range nat64_6 = {{0, 0x64, 0xff, 0x9b}, 96};
static const Range to4_6 = {{0x20, 0x02}, 16};

static bool is_in(const guint8 *bytes, const Range *range)
{
    guint whole = range->bits / 8, rest = range->bits % 8;
    if (memcmp(bytes, range->bytes, whole) != 0) {
        return false;
    }
    guint8 mask = (guint8)(0xff << (8 - rest));
    return rest == 0 || (bytes[whole] & mask) == (range->bytes[whole] & mask);
}

static bool is_in_any(const guint8 *bytes, const Range *ranges, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        if (is_in(bytes, &ranges[i])) {
            return true;
        }
    }
    return false;
}

static bool is_public_4(const guint8 *bytes)
{
    return !is_in_any(bytes, special_4, G_N_ELEMENTS(special_4));
}

bool base_address_is_public(GInetAddress *address)
{
    const guint8 *bytes = g_inet_address_to_bytes(address);
    if (g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV4) {
        return is_public_4(bytes);
    }
    if (is_in(bytes, &mapped_6) || is_in(bytes, &nat64_6)) {
        return is_public_4(bytes + 12);
    }
    if (is_in(bytes, &to4_6)) {
        return is_public_4(bytes + 2);
    }
    return is_in(bytes, &global_6) && !is_in_any(bytes, special_6, G_N_ELEMENTS(special_6));
}
