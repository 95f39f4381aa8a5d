/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * The picture that a bot shows, fetched from a URL that somebody else chose: over http or https, at
 * most BOT_IMAGE_MAX_BYTES, of a known type, from a public address, within a time. Every hop is
 * resolved here and the connection goes to the address that was checked, so a name that changes its
 * mind between the two gains nothing. What comes is decoded and made anew: the page gets no foreign
 * file.
 */

#define BOT_IMAGE_MAX_BYTES (8 * 1024 * 1024)
#define BOT_IMAGE_MAX_HOPS 4
#define BOT_IMAGE_TIMEOUT_S 15
#define BOT_IMAGE_WIDTH 1280
#define BOT_IMAGE_HEIGHT 720

typedef struct BotImage BotImage;

/* @jpeg: (transfer none): BOT_IMAGE_WIDTH by _HEIGHT, or NULL with @error. */
typedef void (*BotImageDone)(GBytes *jpeg, const GError *error, gpointer user_data);

/**
 * bot_image_fetch:
 * @allow_private: the first URL may lie at a private address; what it redirects to never may
 *
 * @done is called once, from the main context, never from inside the call; the BotImage may be
 * freed in it. Its error's message is for people and names no part of the URL but the host.
 *
 * Thread: main. Returns (transfer full).
 */
BotImage *bot_image_fetch(const char *url, bool allow_private, BotImageDone done,
                          gpointer user_data);
/** The same from a file on this machine. */
BotImage *bot_image_read(const char *path, BotImageDone done, gpointer user_data);
/** @done is not called any more. */
void bot_image_free(BotImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotImage, bot_image_free)
