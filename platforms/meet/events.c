/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/meet/meet_priv.h"

#include "platforms/json.h"

#include <string.h>

#define NAVIGATE_TIMEOUT_MS 30000
#define MAX_CHAT_IDS 4096

/* No event follows on_left or platform_free. */
bool meet_is_silent(const Meet *meet)
{
    return meet->freed || (meet->over && meet->left_source == 0);
}

void meet_warn(Meet *meet, const char *code, const char *message)
{
    if (!meet_is_silent(meet) && meet->events.on_warning != NULL) {
        meet->events.on_warning(code, message, meet->user_data);
    }
}

void meet_report_rule(Meet *meet, MeetPurpose purpose, const char *rule)
{
    const char *seen = meet->seen_rules[purpose];
    if (meet_is_silent(meet) || meet->events.on_rule == NULL ||
        (seen != NULL && g_strcmp0(seen, rule != NULL ? rule : "") == 0)) {
        return;
    }
    g_free(meet->seen_rules[purpose]);
    meet->seen_rules[purpose] = g_strdup(rule != NULL ? rule : "");
    g_autofree char *full =
        rule != NULL ? g_strdup_printf("%s/%s", meet_purpose_names[purpose], rule) : NULL;
    g_info("%s: %s", meet_purpose_names[purpose], full != NULL ? full : "none matches");
    meet->events.on_rule(meet_purpose_names[purpose], full, rule != NULL, meet->user_data);
}

static void on_participant(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data)
{
    Meet *meet = user_data;
    if (!meet_is_silent(meet) && meet->events.on_participant != NULL) {
        meet->events.on_participant(op, participant, meet->user_data);
    }
}

static void on_source(const PlatformSource *source, gpointer user_data)
{
    Meet *meet = user_data;
    if (!meet_is_silent(meet) && meet->events.on_source != NULL) {
        meet->events.on_source(source, meet->user_data);
    }
}

// --- what the page tells ---

static void on_navigate_reply(JsonNode *value, const GError *error, gpointer user_data)
{
    Meet *meet = user_data;
    if (meet->leaving) {
        return;
    }
    if (error != NULL) {
        meet_finish(meet, PLATFORM_LEFT_NETWORK_LOST, error->message, NULL, true);
        return;
    }
    meet->answer_ms = meet_now_ms();
    meet_poll_later(meet, 1);
}

static void on_ready(gpointer user_data)
{
    Meet *meet = g_rc_box_acquire(user_data);
    if (!meet->sandbox) {
        meet_warn(meet, "browser_sandbox_off",
                  "Chromium runs without its sandbox, as browser.sandbox says");
    }
    if (!meet->freed && !meet->leaving && !meet->over) {
        meet->navigated = true;
        browser_navigate(page_get_browser(meet->page), meet->url, NAVIGATE_TIMEOUT_MS,
                         on_navigate_reply, meet);
    }
    meet_release(meet);
}

static void on_navigated(const char *url, gpointer user_data)
{
    Meet *meet = user_data;
    meet->link_failed = false;
    meet_poll_later(meet, 100);
}

static void on_link(bool up, gpointer user_data)
{
    Meet *meet = user_data;
    bool was_up = meet->link_up;
    meet->link_up = up;
    if (was_up && !up && !meet->leaving && !meet->over) {
        meet_warn(meet, "page_link_lost", "the link to the page broke; it is being made again");
    }
}

static void on_frame(MediaEncodedFrame *frame, gpointer user_data)
{
    Meet *meet = user_data;
    meet->n_frames++;
    if (!meet_is_silent(meet) && meet->events.on_frame != NULL) {
        meet->events.on_frame(frame, meet->user_data);
    }
}

static void on_user(const MeetUser *user, gpointer user_data)
{
    meet_roster_user(((Meet *)user_data)->roster, user);
}

static void on_output(const MeetOutput *output, gpointer user_data)
{
    meet_roster_output(((Meet *)user_data)->roster, output);
}

static void on_chat(const MeetChat *chat, gpointer user_data)
{
    Meet *meet = user_data;
    if (meet_is_silent(meet) || meet->events.on_chat == NULL ||
        meet_roster_is_self(meet->roster, chat->device)) {
        return;
    }
    if (chat->id != NULL && g_hash_table_size(meet->seen_chat) < MAX_CHAT_IDS &&
        !g_hash_table_add(meet->seen_chat, g_strdup(chat->id))) {
        return; /* told twice */
    }
    const char *name = meet_roster_name(meet->roster, chat->device);
    meet->events.on_chat(chat->device, name != NULL ? name : "", chat->text, meet->user_data);
}

static void on_data(bool fetch, const char *name, GBytes *data, gpointer user_data)
{
    static const MeetCollectionsSink sink = {
        .on_user = on_user, .on_output = on_output, .on_chat = on_chat};
    Meet *meet = g_rc_box_acquire(user_data);
    g_autoptr(GError) error = NULL;
    gsize size;
    const void *bytes = g_bytes_get_data(data, &size);
    bool good;
    if (fetch) {
        meet_roster_begin_sync(meet->roster);
        good = meet_collections_parse_sync(bytes, size, &sink, meet, &error);
        if (good) {
            meet_roster_end_sync(meet->roster);
        }
    } else {
        good = meet_collections_parse(bytes, size, &sink, meet, &error);
    }
    if (!good) {
        meet_warn(meet, "roster_message", error->message);
    }
    meet_release(meet);
}

/* A page's words that reach the bot's events: a plain code, a short sentence. */
static void take_warning(Meet *meet, JsonObject *message)
{
    const char *code = platform_json_string(message, "code", "page");
    const char *text = platform_json_string(message, "message", "");
    if (strspn(code, "abcdefghijklmnopqrstuvwxyz_") != strlen(code) || strlen(code) > 40) {
        code = "page";
    }
    g_autofree char *head = g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), 300));
    meet_warn(meet, code, head);
}

static void on_message(const char *type, JsonObject *message, gpointer user_data)
{
    Meet *meet = g_rc_box_acquire(user_data);
    uint32_t id = (uint32_t)platform_json_int(message, "id", 0);
    if (strcmp(type, "track") == 0) {
        if (strcmp(platform_json_string(message, "kind", ""), "video") == 0) {
            meet_roster_track(meet->roster, id, platform_json_array(message, "streams"));
        }
        meet_poll_soon(meet);
    } else if (strcmp(type, "track_ended") == 0) {
        meet_roster_track_ended(meet->roster, id);
        if (!meet_is_silent(meet) && meet->events.on_track_ended != NULL) {
            meet->events.on_track_ended(id, meet->user_data);
        }
        meet_poll_soon(meet);
    } else if (strcmp(type, "warning") == 0) {
        take_warning(meet, message);
    } else if (strcmp(type, "connection") == 0) {
        const char *state = platform_json_string(message, "state", "");
        meet->link_failed = strcmp(state, "failed") == 0 || strcmp(state, "disconnected") == 0;
    }
    meet_release(meet);
}

static void on_lost(BrowserLost lost, const char *message, gpointer user_data)
{
    meet_finish(user_data, PLATFORM_LEFT_PAGE_LOST, message, NULL, false);
}

const PageEvents meet_page_events = {.on_ready = on_ready,
                                     .on_navigated = on_navigated,
                                     .on_link = on_link,
                                     .on_frame = on_frame,
                                     .on_data = on_data,
                                     .on_message = on_message,
                                     .on_lost = on_lost};

const MeetRosterEvents meet_roster_events = {.on_participant = on_participant,
                                             .on_source = on_source};
