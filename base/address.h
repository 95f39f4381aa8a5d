/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/**
 * base_address_is_public:
 *
 * Whether anybody on the internet could be meant: not this machine, no private, link-local, shared,
 * multicast, documentation, benchmark or reserved range, also where one stands inside an IPv6
 * address (mapped, NAT64, 6to4). Ranges: the IANA registries of special-purpose addresses. Pure.
 */
bool base_address_is_public(GInetAddress *address);
