/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/*
 * What the bot writes into the meeting's chat: one message after the other, each tried again until
 * it stands there, as a chat shows late, or its field lets go of what it was given. A message
 * longer than the platform takes goes out in parts. Owned by its adapter, in the main loop.
 */

struct Adapter;
typedef struct AdapterChat AdapterChat;

AdapterChat *adapter_chat_new(struct Adapter *adapter);
void adapter_chat_free(AdapterChat *chat);

/** @task (transfer full) succeeds when all of @text stands in the chat, or fails with what went
 * wrong last: PLATFORM_ERROR_FAILED after the rules' "chat_ms" without success. */
void adapter_chat_send(AdapterChat *chat, const char *text, GTask *task);

/** The bot is out of the call: what waits fails with PLATFORM_ERROR_STATE, from an idle source. */
void adapter_chat_cancel(AdapterChat *chat);

/**
 * adapter_chat_split:
 * @limit: UTF-16 code units, as a field's maxlength counts them; 0: none
 *
 * The parts of @text in the order in which they are read, none longer than @limit: cut at line
 * ends, else at the end of a sentence, else between words, else between characters that stand
 * alone. Blanks at a cut go. Returns: (transfer full): NULL-ended; empty when there is nothing to
 * read in @text.
 */
char **adapter_chat_split(const char *text, unsigned limit);
