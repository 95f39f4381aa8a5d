/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Who is and was in the call: gives each of the platform's people a stable integer id from 1, and
 * keeps names, presence and times for participants.json. A person who leaves and comes back under
 * the same platform id keeps the id. Sources that nobody has been named for yet become numbered
 * people ("Participant 3"), and take over a name when it comes. Main thread only.
 */

typedef struct BotRoster BotRoster;

typedef struct {
    uint32_t id;
    char *platform_id; /* owned; NULL for a numbered person */
    char *name;        /* owned; never NULL */
    bool is_host;
    GArray *members;  /* owned, of uint32_t ids, or NULL: the one voice of these, and no person */
    uint32_t room_id; /* whose voice this person's is now; 0: their own */
    bool ignored;     /* another bot: no company */
    bool muted;
    bool present;
    bool unconfirmed; /* present before a loss of connection, and not seen since */
    bool speaking;
    int64_t joined_us; /* g_get_monotonic_time; the first time */
    int64_t left_us;   /* -1 while present */
} BotPerson;

BotRoster *bot_roster_new(void);
void bot_roster_free(BotRoster *roster);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotRoster, bot_roster_free)

/**
 * bot_roster_ignore:
 *
 * Whoever's name has @name in it, as whole words and whatever the case, is another bot and no
 * company: "Notetaker" is in "Fireflies.ai Notetaker", and not in "Notetakers". Copied. Call before
 * anybody is in the roster.
 */
void bot_roster_ignore(BotRoster *roster, const char *name);

/**
 * bot_roster_update:
 *
 * Find or add the person, with @name, presence true. Returns (transfer none) the entry, valid for
 * the roster's life; *ret_is_new tells whether it joined just now (first time or again).
 */
BotPerson *bot_roster_update(BotRoster *roster, const char *platform_id, const char *name,
                             int64_t now_us, bool *ret_is_new);

/** Find or add the person, without saying that it is present: its sources may be told first. */
BotPerson *bot_roster_ensure(BotRoster *roster, const char *platform_id, int64_t now_us);

/** Returns the entry, now absent; NULL when unknown or absent already. */
BotPerson *bot_roster_leave(BotRoster *roster, const char *platform_id, int64_t now_us);

/** The connection was lost: who is present has to be seen again, or has left meanwhile. */
void bot_roster_doubt_all(BotRoster *roster);
/** Somebody present who was not seen again, or NULL. */
const BotPerson *bot_roster_next_unconfirmed(BotRoster *roster);

BotPerson *bot_roster_find(BotRoster *roster, const char *platform_id);
BotPerson *bot_roster_get(BotRoster *roster, uint32_t id);

/** A new numbered person, for a voice that nobody has been named for. */
BotPerson *bot_roster_add_unnamed(BotRoster *roster, int64_t now_us);

/** Everybody ever, by id. */
guint bot_roster_length(BotRoster *roster);
BotPerson *bot_roster_nth(BotRoster *roster, guint n);

/**
 * bot_roster_set_members:
 * @platform_ids: NULL-ended, or NULL for a person
 *
 * From now on, until it leaves, @room is the voice of these: they stay in the call, it is nobody.
 */
void bot_roster_set_members(BotRoster *roster, BotPerson *room, const char *const *platform_ids,
                            int64_t now_us);

/** Adds "members", the ids, to what is told of @person; nothing of one who is nobody else's voice.
 */
void bot_person_tell_members(const BotPerson *person, JsonObject *object);

/**
 * bot_roster_set_bots:
 * @names: NULL-ended, one for each; copied
 *
 * From now on as many people of these very names as there are bots of it are no company: the bots
 * that whoever sent this one has in the same meeting.
 */
void bot_roster_set_bots(BotRoster *roster, const char *const *names);

/** How many people are in the call and not ignored. The bot itself is never in the roster. */
guint bot_roster_count_company(BotRoster *roster);
