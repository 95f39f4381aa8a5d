/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What happens to a link between the one who copies it and the one who pastes it. Pure, fuzzed.
 */

/**
 * platform_url_clean:
 *
 * Returns (transfer full) @text (UTF-8) without what came along when it was copied: blanks (those
 * that nobody sees, too), quotes, brackets around it, the marks that end a sentence or make it
 * bold; a ')' or ']' that the link opens itself stays. A link that was percent-encoded as a whole
 * is decoded, what HTML and shells do to a query is undone ("&amp;", "\?", "\=", "\&").
 * platform_url_clean of its own result changes nothing.
 */
char *platform_url_clean(const char *text);
