/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/artifacts.h"
#include "bot/config.h"
#include "bot/gaps.h"
#include "media/finalizer.h"

/*
 * What follows the meeting: the recording is finalized, the files beside it are written, and all of
 * them uploaded where the configuration wants them; while the meeting lasts, what can go ahead
 * does. A living session and --recover share it. Finalizing and uploading have threads of their
 * own; everything else, and the events, are on the main thread.
 */

typedef struct BotDelivery BotDelivery;

/* What is known of the meeting once its recording is finalized. */
typedef struct {
    const char *platform;    /* NULL: unknown */
    int64_t started_unix_ms; /* of the recording; 0: never */
    int64_t started_us;      /* the same on the clock of @roster's times; -1: never */
    const char *end_reason;  /* NULL: none */
    const char *error;       /* NULL: none; one of finalizing comes before it */
    GArray *speech;          /* (transfer full) (element-type BotSpeechRow) */
    GArray *chat;            /* borrowed (element-type BotChatRow) */
    BotRoster *roster;       /* borrowed */
    const BotGaps *gaps;     /* borrowed */
} BotMeetingRecord;

typedef struct {
    /* What the files beside the recording say; all strings are borrowed until it returns to the
     * delivery. */
    void (*on_describe)(const MediaFinalized *finalized, BotMeetingRecord *ret_record,
                        gpointer user_data);
    void (*on_warning)(const char *code, const char *message, gpointer user_data);
    /* The last event: the files are where they are to be, or can't be brought there. From inside
     * bot_delivery_start when there is nothing to wait for. */
    void (*on_delivered)(gpointer user_data);
} BotDeliveryEvents;

typedef struct {
    bool recorded;     /* there are working files to be finalized */
    bool may_be_empty; /* that nothing stands in them is no error */
    bool keep_written; /* the files beside it are written already: only with a recording anew */
    const char *title; /* of the recording */
    int64_t started_unix_ms; /* of the recording */
    GArray *chapters; /* (transfer full) (nullable) (element-type MediaChapter); when recorded */
    GHashTable *uploaded; /* (nullable): borrowed until on_delivered: names that the store has */
} BotDeliveryStart;

/** @config, @log: borrowed. @events: a static table. */
BotDelivery *bot_delivery_new(const BotConfig *config, BotEventLog *log,
                              const BotDeliveryEvents *events, gpointer user_data);
/** No event comes after it. Waits for an upload's thread. */
void bot_delivery_free(BotDelivery *delivery);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotDelivery, bot_delivery_free)

/** The recording has begun: what can be sent while it grows is. */
void bot_delivery_send_ahead(BotDelivery *delivery);

/** The meeting is over, and nothing is written to the working files any more. Call once. */
void bot_delivery_start(BotDelivery *delivery, const BotDeliveryStart *start);

/** Only writes the files beside the recording and reports them: a bot that ends without one. */
void bot_delivery_write_only(BotDelivery *delivery);

/** The time to stop has come: an upload ends soon; what was sent in parts can be resumed. */
void bot_delivery_cut_short(BotDelivery *delivery);

/**
 * bot_delivery_set_credentials:
 * @config: (transfer full) (nullable): from bot_config_with_credentials; NULL: there are none
 *
 * Newer credentials, for what is uploaded from now on.
 */
void bot_delivery_set_credentials(BotDelivery *delivery, BotConfig *config);

/** Borrowed: why the recording could not be finalized, or NULL. */
const GError *bot_delivery_get_error(const BotDelivery *delivery);
/** Borrowed: path is NULL when there is no recording. */
const MediaFinalized *bot_delivery_get_recording(const BotDelivery *delivery);
/** Returns (transfer full): where the recording is: at the store, else on this machine; NULL:
 * nowhere.
 */
char *bot_delivery_dup_url(const BotDelivery *delivery);
/** Whether something asked for was not uploaded. */
bool bot_delivery_is_incomplete(const BotDelivery *delivery);
