/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/adapter/adapter.h"

#include "platforms/json.h"

#include <string.h>

/* No event follows on_left or platform_free. */
bool adapter_is_silent(const Adapter *adapter)
{
    return adapter->freed || (adapter->over && adapter->left_source == 0);
}

void adapter_warn(Adapter *adapter, const char *code, const char *message)
{
    if (!adapter_is_silent(adapter) && adapter->events.on_warning != NULL) {
        adapter->events.on_warning(code, message, adapter->user_data);
    }
}

void adapter_report_rule(Adapter *adapter, FlowPurpose purpose, const char *rule)
{
    const char *seen = adapter->seen_rules[purpose];
    if (adapter_is_silent(adapter) || adapter->events.on_rule == NULL ||
        (seen != NULL && g_strcmp0(seen, rule != NULL ? rule : "") == 0)) {
        return;
    }
    g_free(adapter->seen_rules[purpose]);
    adapter->seen_rules[purpose] = g_strdup(rule != NULL ? rule : "");
    g_autofree char *full =
        rule != NULL ? g_strdup_printf("%s/%s", flow_purpose_names[purpose], rule) : NULL;
    g_info("%s: %s", flow_purpose_names[purpose], full != NULL ? full : "none matches");
    adapter->events.on_rule(flow_purpose_names[purpose], full, rule != NULL, adapter->user_data);
}

void adapter_report_participant(Adapter *adapter, PlatformParticipantOp op,
                                const PlatformParticipant *participant)
{
    if (!adapter_is_silent(adapter) && adapter->events.on_participant != NULL) {
        adapter->events.on_participant(op, participant, adapter->user_data);
    }
}

void adapter_report_source(Adapter *adapter, const PlatformSource *source)
{
    if (!adapter_is_silent(adapter) && adapter->events.on_source != NULL) {
        adapter->events.on_source(source, adapter->user_data);
    }
}

void adapter_report_speaker(Adapter *adapter, const char *platform_id)
{
    if (!adapter_is_silent(adapter) && adapter->events.on_speaker != NULL) {
        adapter->events.on_speaker(platform_id, adapter->user_data);
    }
}

void adapter_report_chat(Adapter *adapter, const char *platform_id, const char *name,
                         const char *text)
{
    if (!adapter_is_silent(adapter) && adapter->events.on_chat != NULL) {
        adapter->events.on_chat(platform_id, name, text, adapter->user_data);
    }
}

void adapter_tell_left(Adapter *adapter, PlatformLeft left, const char *message)
{
    if (!adapter->told_left) {
        adapter->told_left = true;
        adapter->told = left;
        adapter->told_message = message;
        adapter_poll_soon(adapter);
    }
}

// --- what the page tells ---

static void on_navigate_reply(JsonNode *value, const GError *error, gpointer user_data)
{
    Adapter *adapter = user_data;
    if (adapter->leaving) {
        return;
    }
    if (error != NULL) {
        adapter_finish(adapter, PLATFORM_LEFT_NETWORK_LOST, error->message, NULL, true);
        return;
    }
    adapter->answer_ms = adapter_now_ms();
    adapter_poll_later(adapter, 1);
}

static void on_ready(gpointer user_data)
{
    Adapter *adapter = g_rc_box_acquire(user_data);
    if (!adapter->sandbox) {
        adapter_warn(adapter, "browser_sandbox_off",
                     "Chromium runs without its sandbox, as browser.sandbox says");
    }
    if (adapter->name_mended) {
        adapter_warn(adapter, "bot_name",
                     "the bot's name holds line breaks or other control characters: they are "
                     "blanks in the meeting");
    }
    if (!adapter->freed && !adapter->leaving && !adapter->over) {
        adapter->navigated = true;
        g_info("the meeting's page is opened");
        browser_navigate(page_get_browser(adapter->page), adapter->url, ADAPTER_NAVIGATE_TIMEOUT_MS,
                         on_navigate_reply, adapter);
    }
    adapter_release(adapter);
}

static void on_navigated(const char *url, gpointer user_data)
{
    Adapter *adapter = user_data;
    adapter->link_failed = false;
    adapter_push_picture(adapter);
    adapter_poll_later(adapter, 100);
}

static void on_link(bool up, gpointer user_data)
{
    Adapter *adapter = user_data;
    bool was_up = adapter->link_up;
    adapter->link_up = up;
    if (was_up && !up && !adapter->leaving && !adapter->over) {
        adapter_warn(adapter, "page_link_lost",
                     "the link to the page broke; it is being made again");
    }
}

MediaEncodedFrame *adapter_new_mixed(const MediaEncodedFrame *frame)
{
    MediaEncodedFrame *mixed = media_encoded_frame_new(frame->codec, g_bytes_ref(frame->payload));
    mixed->track_id = frame->track_id;
    mixed->ssrc = frame->ssrc;
    mixed->rtp_timestamp = frame->rtp_timestamp;
    mixed->sequence = frame->sequence;
    mixed->receive_ns = frame->receive_ns;
    mixed->sent_ns = frame->sent_ns;
    mixed->audio_level = frame->audio_level;
    mixed->mixed = true;
    return mixed;
}

static void on_frame(MediaEncodedFrame *frame, gpointer user_data)
{
    Adapter *adapter = user_data;
    adapter->n_frames++;
    if (adapter_is_silent(adapter) || adapter->events.on_frame == NULL) {
        return;
    }
    g_autoptr(MediaEncodedFrame) reported = adapter->kind->on_frame != NULL
                                                ? adapter->kind->on_frame(adapter, frame)
                                                : media_encoded_frame_ref(frame);
    if (reported != NULL) {
        adapter->events.on_frame(reported, adapter->user_data);
    }
}

static void on_data(bool fetch, const char *name, GBytes *data, gpointer user_data)
{
    Adapter *adapter = g_rc_box_acquire(user_data);
    if (adapter->kind->on_data != NULL) {
        adapter->kind->on_data(adapter, fetch, name, data);
    }
    adapter_release(adapter);
}

/* A page's words that reach the bot's events: a plain code, a short sentence. */
static void take_warning(Adapter *adapter, JsonObject *message)
{
    const char *code = platform_json_string(message, "code", "page");
    const char *text = platform_json_string(message, "message", "");
    size_t length = strlen(code);
    if (strspn(code, "abcdefghijklmnopqrstuvwxyz_") != length || length == 0 || length > 40) {
        code = "page";
    }
    g_autofree char *head = g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), 300));
    if (strcmp(code, "video_not_tapped") == 0) {
        adapter_capture_untapped(adapter, head);
    } else {
        adapter_warn(adapter, code, head);
    }
}

static void on_message(const char *type, JsonObject *message, gpointer user_data)
{
    Adapter *adapter = g_rc_box_acquire(user_data);
    uint32_t id = (uint32_t)platform_json_int(message, "id", 0);
    if (strcmp(type, "track") == 0) {
        if (adapter->kind->on_track != NULL) {
            adapter->kind->on_track(adapter, id, message);
        }
        adapter_poll_soon(adapter);
    } else if (strcmp(type, "track_ended") == 0) {
        if (adapter->kind->on_track_ended != NULL) {
            adapter->kind->on_track_ended(adapter, id);
        }
        if (!adapter_is_silent(adapter) && adapter->events.on_track_ended != NULL) {
            adapter->events.on_track_ended(id, adapter->user_data);
        }
        adapter_poll_soon(adapter);
    } else if (strcmp(type, "warning") == 0) {
        take_warning(adapter, message);
    } else if (strcmp(type, "connection") == 0) {
        const char *state = platform_json_string(message, "state", "");
        adapter->link_failed = strcmp(state, "failed") == 0 || strcmp(state, "disconnected") == 0;
        adapter_poll_soon(adapter);
    } else if (adapter->kind->on_message != NULL) {
        adapter->kind->on_message(adapter, type, message);
    }
    adapter_release(adapter);
}

static void on_lost(BrowserLost lost, const char *message, gpointer user_data)
{
    adapter_finish(user_data, PLATFORM_LEFT_PAGE_LOST, message, NULL, false);
}

const PageEvents adapter_page_events = {.on_ready = on_ready,
                                        .on_navigated = on_navigated,
                                        .on_link = on_link,
                                        .on_frame = on_frame,
                                        .on_data = on_data,
                                        .on_message = on_message,
                                        .on_lost = on_lost};
