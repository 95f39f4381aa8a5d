/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** What every connection calls itself in its User-Agent: firewalls ask for one. */
#define BASE_USER_AGENT "Steno/" STENO_VERSION
