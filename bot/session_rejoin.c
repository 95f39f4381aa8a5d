/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/session_priv.h"

#include <string.h>

/* Who was in the call before and is not reported this long after coming back has left meanwhile. */
#define CONFIRM_WITHIN_MS 10000

static BotPresence out_of_call(const BotPresence *presence)
{
    BotPresence out = *presence;
    out.knocked_us = out.host_absent_us = out.admitted_us = out.alone_since_us = BOT_NEVER_US;
    return out;
}

void bot_session_begin_gap(BotSession *session, const char *reason, const char *message)
{
    JsonObject *members = bot_gaps_begin(
        session->gaps, reason, message, bot_session_recording_s(session), g_get_real_time() / 1000);
    if (members != NULL) {
        bot_event_log_emit(session->log, "gap", members);
    }
    bot_live_set_joined(session->live, false);
}

/* Losses only, and only of a bot that was in the call: a refusal is final. On the way back in, a
 * page that shows no way in counts, too. */
static bool is_loss(const BotSession *session, PlatformLeft left)
{
    bool was_in = session->presence.first_admitted_us != BOT_NEVER_US;
    bool lost = left == PLATFORM_LEFT_PAGE_LOST || left == PLATFORM_LEFT_NETWORK_LOST;
    bool stuck = left == PLATFORM_LEFT_UI_NOT_FOUND || left == PLATFORM_LEFT_INTERNAL;
    return was_in && (lost || (stuck && session->rejoining));
}

static void warn_rejoining(BotSession *session, const char *message, int64_t wait_ms)
{
    g_autofree char *text = g_strdup_printf("%s: joining again in %.0f s, attempt %u of %u",
                                            message, (double)wait_ms / 1000,
                                            session->rejoin.n_attempts, session->rejoin.n_allowed);
    bot_session_warn(session, "rejoining", text);
}

static gboolean on_rejoin_due(gpointer user_data)
{
    BotSession *session = user_data;
    session->rejoin_id = 0;
    if (session->state != BOT_STATE_JOINING || session->platform != NULL) {
        return G_SOURCE_REMOVE; /* it was told to leave meanwhile */
    }
    g_autoptr(GError) error = NULL;
    if (!bot_session_connect(session, &error)) {
        bot_session_end(session, BOT_OUTCOME_INTERNAL, error->message);
    }
    return G_SOURCE_REMOVE;
}

void bot_session_schedule_rejoin(BotSession *session)
{
    g_assert(session->rejoining && session->platform == NULL);
    g_clear_handle_id(&session->rejoin_id, g_source_remove);
    session->rejoin_id = g_timeout_add(session->rejoin_wait_ms, on_rejoin_due, session);
}

static void give_up(BotSession *session, const char *message)
{
    g_autofree char *text = session->rejoin.n_allowed > 0 && session->rejoining
                                ? g_strdup_printf("%s; joining again failed %u times", message,
                                                  session->rejoin.n_attempts)
                                : g_strdup(message);
    bot_session_end(session, BOT_OUTCOME_LOST, text);
}

bool bot_session_rejoins(BotSession *session, const PlatformLeftInfo *info)
{
    if (!is_loss(session, info->left)) {
        return false;
    }
    int64_t wait_ms =
        bot_rejoin_next_ms(&session->rejoin, g_get_monotonic_time(), g_random_double());
    g_autofree char *message = g_strdup(info->message);
    if (wait_ms < 0) {
        give_up(session, message);
        return false;
    }
    bool network = info->left == PLATFORM_LEFT_NETWORK_LOST;
    g_clear_pointer(&session->platform, platform_free);
    g_clear_handle_id(&session->unconfirmed_id, g_source_remove);
    bot_session_begin_gap(session, network ? "network_lost" : "page_lost", message);
    bot_session_lose_media(session);
    bot_roster_doubt_all(session->roster);
    session->presence = out_of_call(&session->presence);
    session->rejoining = true;
    session->rejoin_wait_ms = (unsigned)wait_ms;
    warn_rejoining(session, message, wait_ms);
    bot_session_raise(session, BOT_EVENT_CONNECTION_LOST, NULL);
    return true;
}

/* --- in again --- */

static gboolean on_unconfirmed_due(gpointer user_data)
{
    BotSession *session = user_data;
    const BotPerson *person;
    session->unconfirmed_id = 0;
    while ((person = bot_roster_next_unconfirmed(session->roster)) != NULL) {
        bot_session_participant_left(session, person->platform_id);
    }
    bot_session_count_company(session);
    bot_session_roster_changed(session);
    return G_SOURCE_REMOVE;
}

void bot_session_back_in_call(BotSession *session)
{
    int64_t now_us = g_get_monotonic_time();
    BotPresence *presence = &session->presence;
    presence->joining_us = presence->knocked_us = BOT_NEVER_US;
    presence->admitted_us = now_us;
    if (presence->first_admitted_us == BOT_NEVER_US) {
        presence->first_admitted_us = now_us;
    } else {
        presence->last_sound_us = now_us; /* nobody was heard while the bot was out */
    }
    bot_rejoin_admitted(&session->rejoin, now_us);
    JsonObject *members = bot_gaps_end(session->gaps, g_get_real_time() / 1000);
    if (members != NULL) {
        bot_event_log_emit(session->log, "gap", members);
    }
    if (session->rejoining) {
        session->rejoining = false;
        g_clear_handle_id(&session->unconfirmed_id, g_source_remove);
        session->unconfirmed_id = g_timeout_add(CONFIRM_WITHIN_MS, on_unconfirmed_due, session);
    }
}

/* After a loss the platform may list the bot's former entry for a while. */
static bool is_former_self(BotSession *session, const PlatformParticipant *participant)
{
    const BotPerson *known = bot_roster_find(session->roster, participant->platform_id);
    bool early = session->rejoining || session->unconfirmed_id != 0;
    return early && (known == NULL || !known->present) &&
           strcmp(participant->name, session->config->bot_name) == 0;
}

bool bot_session_is_own_entry(BotSession *session, const PlatformParticipant *participant)
{
    if (participant->is_self) {
        g_free(session->self_id);
        session->self_id = g_strdup(participant->platform_id);
    }
    if (participant->is_self || is_former_self(session, participant)) {
        g_hash_table_add(session->own_ids, g_strdup(participant->platform_id));
    }
    return g_hash_table_contains(session->own_ids, participant->platform_id);
}
