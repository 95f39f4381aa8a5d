/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/config.h"
#include "orchestrator/links.h"
#include "orchestrator/store.h"

/*
 * What bots are and what happens to them: the one place that changes a bot. Each change, its entry
 * in the history and the webhooks that tell of it are written as one. Main thread only. Errors are
 * ORCH_BOTS_ERROR, or the store's.
 *
 * A bot's details (OrchBot.details) are a JSON object with
 *   webhooks         [{"kind": "meeting_baas"|"attendee"|"cronofy", "url", "triggers": […]}]
 *   speech_to_text   as given; kept for when there is transcription
 *   bot_image        as given, a URL
 *   accounts         see logins.h
 *   and what else one API must give back as it got it, under that API's name.
 */

typedef struct OrchBots OrchBots;

typedef enum {
    ORCH_BOTS_ERROR_STATE,     /* not in this state */
    ORCH_BOTS_ERROR_FULL,      /* as many wait as may */
    ORCH_BOTS_ERROR_NO_WORKER, /* nobody there to do it */
    ORCH_BOTS_ERROR_REFUSED,   /* the worker would not */
    ORCH_BOTS_ERROR_EVENT,     /* what a worker sent is no event */
} OrchBotsError;

#define ORCH_BOTS_ERROR orch_bots_error_quark()
GQuark orch_bots_error_quark(void);

/** @error: NULL when the worker did it. */
typedef void (*OrchCommandDone)(const GError *error, gpointer user_data);

/** What is asked of whoever runs workers and delivers webhooks; none is called from inside. */
typedef struct {
    /* Bots were made, moved in time or ended: who has to start now, whose worker has to go? What
       it is about is durable. */
    void (*look_again)(gpointer user_data);
    /* Webhooks were queued, and are durable. */
    void (*webhooks_queued)(gpointer user_data);
    /* Send a command to the bot's worker; @args (transfer none) (nullable). @done is called once,
       later; a worker that is not connected is an error, except for "leave", which
       OrchBot.leave_requested keeps until it is. */
    void (*command)(const char *bot_id, const char *name, JsonObject *args, OrchCommandDone done,
                    gpointer done_data, gpointer user_data);
} OrchWorkers;

/** All are borrowed for its life. */
OrchBots *orch_bots_new(OrchStore *store, const OrchConfig *config, const OrchLinks *links);
/** Before whoever asked for something goes: what is under way in a bucket is cut short. */
void orch_bots_stop(OrchBots *bots);
void orch_bots_free(OrchBots *bots);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchBots, orch_bots_free)

/** @workers: (nullable): nobody runs workers; borrowed */
void orch_bots_set_workers(OrchBots *bots, const OrchWorkers *workers, gpointer user_data);

/** So many workers in a row could not start, and @words (nullable; copied) say why; for /health. */
void orch_bots_set_trouble(OrchBots *bots, guint n_failed_starts, const char *words);
/** How many; *ret_words borrowed, or NULL. */
guint orch_bots_get_trouble(OrchBots *bots, const char **ret_words);

OrchStore *orch_bots_store(OrchBots *bots);
const OrchConfig *orch_bots_config(OrchBots *bots);
const OrchLinks *orch_bots_links(OrchBots *bots);

/**
 * orch_bots_create:
 * @bot: api, account, key_id, meeting_url, bot_name, document, details, join_at_ms and what else
 * the caller knows; the rest is filled in
 *
 * State ready, or scheduled when it has a time that is still to come. What a failed one kept is
 * deleted. Errors: ORCH_BOTS_ERROR_FULL.
 */
bool orch_bots_create(OrchBots *bots, OrchBot *bot, GError **error);

/**
 * orch_bots_keep_picture:
 * @bot: gets an id and a folder if it has none, and the picture in its document
 *
 * Keep what the bot shows as its camera's picture in its folder, for its worker. @bot is not
 * stored. Errors: G_FILE_ERROR.
 */
bool orch_bots_keep_picture(OrchBots *bots, OrchBot *bot, GBytes *picture, GError **error);

/** Returns (transfer full): NULL unless the bot is @account's. Attendee's "bot_" may stand before
 * the id, Cronofy's "agt_" too. */
OrchBot *orch_bots_get(OrchBots *bots, gint64 account, const char *id);

/** Returns (transfer full): the bots that keep @account from sending this one (five-minute rule).
 */
OrchBot *orch_bots_find_duplicate(OrchBots *bots, const OrchBot *bot, gint64 now_ms);

/**
 * orch_bots_document:
 *
 * The worker's configuration: worker_defaults, the bot's own document over them, bot_id and
 * output_dir. What the worker needs of the control link is the caller's to add. Returns
 * (transfer full): checked, so that a worker takes it. Errors: BOT_CONFIG_ERROR.
 */
JsonObject *orch_bots_document(OrchBots *bots, const OrchBot *bot, GError **error);

/** Store what the caller changed, in the fields that are the worker runner's or the API's. */
bool orch_bots_save(OrchBots *bots, const OrchBot *bot, GError **error);

/**
 * orch_bots_transition:
 *
 * Take a step of the machine that no worker reports (staged, cancelled, leave_requested,
 * fatal_error, data_deleted …), with its history and webhooks. @bot is changed and stored. Errors:
 * ORCH_BOTS_ERROR_STATE with bot_machine_refusal's sentence.
 */
bool orch_bots_transition(OrchBots *bots, OrchBot *bot, BotEvent event, const char *sub_type,
                          GError **error);

/**
 * orch_bots_leave:
 *
 * Whoever asked for the bot no longer wants it. Before its worker joins it is cancelled; in the
 * call the intent is stored (leave_requested), the state becomes leaving, and the worker is told.
 * A bot that is on its way out already is left alone.
 */
bool orch_bots_leave(OrchBots *bots, OrchBot *bot, GError **error);

/** The sentence of a bot that ends with no worker to report it. */
typedef struct {
    const char *sub_type;   /* "process_terminated", "bot_not_launched" */
    const char *error;      /* "InternalError" */
    const char *error_code; /* "internal_error" */
    const char *message;    /* for people */
} OrchFailure;

/** End the bot as failed, whatever its state was; nothing when it has ended. */
bool orch_bots_fail(OrchBots *bots, OrchBot *bot, const OrchFailure *failure, GError **error);

/**
 * orch_bots_apply_event:
 * @event: as docs/worker.md describes
 *
 * The one way from a worker's event to the bot's state, history, artifacts and webhooks. An event
 * whose seq is stored already changes nothing and is no error: acknowledge it, too, but not before
 * orch_store_when_durable. Errors: ORCH_BOTS_ERROR_EVENT (no such bot, no seq or type).
 */
bool orch_bots_apply_event(OrchBots *bots, const char *bot_id, JsonObject *event, GError **error);

/** Remove a bot that is still scheduled, as if it had never been. Errors: as transition. */
bool orch_bots_remove(OrchBots *bots, OrchBot *bot, GError **error);

/** Ask the worker of @bot; see OrchWorkers.command. */
void orch_bots_command(OrchBots *bots, const OrchBot *bot, const char *name, JsonObject *args,
                       OrchCommandDone done, gpointer user_data);

typedef enum {
    ORCH_DELETED,
    ORCH_DELETED_PARTIALLY,
    ORCH_DELETED_ALREADY,
    ORCH_DELETED_NOTHING,
} OrchDeleted;

/** @bot: as it is then; borrowed */
typedef void (*OrchDeleteDone)(const OrchBot *bot, OrchDeleted deleted, gpointer user_data);

/**
 * orch_bots_delete_data:
 * @done: called once when this returns true, perhaps from inside
 *
 * Delete the files, here and in the bucket, what people said and did, and the webhooks that hold
 * any of it; the bot and its metadata stay. Only of a bot that has ended. A bucket that does not
 * answer within seconds makes it ORCH_DELETED_PARTIALLY: what is left is deleted later. Errors:
 * ORCH_BOTS_ERROR_STATE.
 */
bool orch_bots_delete_data(OrchBots *bots, OrchBot *bot, OrchDeleteDone done, gpointer user_data,
                           GError **error);

/** Late writers: delete again what appeared in the folders of bots whose data was deleted since,
 * and in the bucket when it is time to look there again. Call it every minute or so. */
void orch_bots_delete_late(OrchBots *bots, gint64 deleted_since_ms);

/** A link to a file of the bot, made anew: the bucket's where it was uploaded, else signed by us;
 * NULL when there is no such file. (transfer full) */
char *orch_bots_link(OrchBots *bots, const OrchBot *bot, const char *name);
/** The same, good for @valid_s. */
char *orch_bots_link_for(OrchBots *bots, const OrchBot *bot, const char *name, guint valid_s);
/** The recording's name among the artifacts, "recording.mp4"; NULL: none. Static. */
const char *orch_bots_recording_name(const OrchBot *bot);

/** Send a webhook again that was delivered or parked; one that waits goes at once. */
bool orch_bots_resend(OrchBots *bots, OrchDelivery *delivery, GError **error);

gint64 orch_now_ms(void);
