/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tool for people: joins a meeting with the real adapter and prints every event and, each second,
 * how many frames came on which track.
 *
 *   join_probe URL [BROWSER.json] [--seconds N] [--no-video] [--say] [--chat TEXT] [--out DIR]
 *
 * BROWSER.json is a configuration's "browser" object, or the line that steno-meeting prints.
 */
#include "platforms/platform.h"

#include "platforms/json.h"

#include <glib-unix.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TRACKS 256
#define BLOCK_SAMPLES 960

typedef struct {
    GMainLoop *loop;
    Platform *platform;
    int64_t start_us;
    unsigned n_frames[MAX_TRACKS], n_keys[MAX_TRACKS], n_bytes[MAX_TRACKS];
    MediaCodec codecs[MAX_TRACKS];
    GHashTable *csrcs; /* of the last second */
    GArray *ages_us;   /* of int64_t: from the browser's receiver to here, whole call */
    char *out, *chat;
    gboolean say, no_video;
    int seconds;
    unsigned phase;
} Probe;

static void say(Probe *probe, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void say(Probe *probe, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_print("%7.3f %s\n", (double)(g_get_monotonic_time() - probe->start_us) / 1e6, text);
}

static void on_lobby(gpointer user_data)
{
    say(user_data, "LOBBY");
}

static void on_host_absent(bool absent, gpointer user_data)
{
    say(user_data, "HOST %s", absent ? "absent" : "here");
}

static void on_microphone(bool open, gpointer user_data)
{
    say(user_data, "MICROPHONE %s", open ? "open" : "closed");
}

static gboolean speak(gpointer user_data)
{
    Probe *probe = user_data;
    int16_t block[BLOCK_SAMPLES];
    for (int i = 0; i < BLOCK_SAMPLES; i++) {
        block[i] = (int16_t)(12000 * sin(probe->phase++ * 2 * G_PI * 440 / 48000));
    }
    platform_speak(probe->platform, block, BLOCK_SAMPLES, NULL);
    return G_SOURCE_CONTINUE;
}

static void on_chat_sent(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(GError) error = NULL;
    bool sent = platform_send_chat_finish(NULL, result, &error);
    say(user_data, "CHAT %s", sent ? "sent" : error->message);
}

static void on_admitted(gpointer user_data)
{
    Probe *probe = user_data;
    say(probe, "ADMITTED");
    if (probe->say) {
        platform_set_microphone(probe->platform, true);
        g_timeout_add(20, speak, probe);
    }
    if (probe->chat != NULL) {
        platform_send_chat_async(probe->platform, probe->chat, on_chat_sent, probe);
    }
}

static void on_recording_permission(bool granted, const char *reason, gpointer user_data)
{
    say(user_data, "RECORDING %s %s", granted ? "allowed" : "refused", reason ? reason : "");
}

static void on_participant(PlatformParticipantOp op, const PlatformParticipant *who,
                           gpointer user_data)
{
    static const char *const names[] = {"joined", "updated", "left"};
    say(user_data, "PARTICIPANT %s %s \"%s\"%s%s%s", names[op], who->platform_id, who->name,
        who->is_host ? " host" : "", who->is_self ? " self" : "", who->muted ? " muted" : "");
}

static void on_source(const PlatformSource *source, gpointer user_data)
{
    static const char *const names[] = {"audio", "video", "screen"};
    say(user_data, "SOURCE %s %u of %s %s", names[source->kind], source->source,
        source->platform_id, source->active ? "on" : "off");
}

static void on_track_ended(uint32_t track, gpointer user_data)
{
    say(user_data, "TRACK %u ended", track);
}

static void on_frame(MediaEncodedFrame *frame, gpointer user_data)
{
    Probe *probe = user_data;
    uint32_t i = frame->track_id % MAX_TRACKS;
    probe->n_frames[i]++;
    probe->n_keys[i] += frame->key_frame ? 1 : 0;
    probe->n_bytes[i] += (unsigned)g_bytes_get_size(frame->payload);
    probe->codecs[i] = frame->codec;
    int64_t age_us = g_get_monotonic_time() - frame->receive_ns / 1000;
    g_array_append_val(probe->ages_us, age_us);
    for (int k = 0; k < frame->n_csrcs; k++) {
        g_hash_table_add(probe->csrcs, GUINT_TO_POINTER(frame->csrcs[k]));
    }
}

static void on_chat(const char *id, const char *name, const char *text, gpointer user_data)
{
    say(user_data, "CHAT from %s \"%s\": %s", id, name, text);
}

static void on_rule(const char *purpose, const char *rule, bool found, gpointer user_data)
{
    say(user_data, "RULE %s: %s", purpose, found ? rule : "none");
}

static void on_warning(const char *code, const char *message, gpointer user_data)
{
    say(user_data, "WARNING %s: %s", code, message);
}

static void on_left(const PlatformLeftInfo *info, gpointer user_data)
{
    Probe *probe = user_data;
    say(probe, "LEFT %s: %s (rule %s, picture %s)", platform_left_to_string(info->left),
        info->message, info->rule ? info->rule : "-", info->screenshot ? info->screenshot : "-");
    g_main_loop_quit(probe->loop);
}

static int compare_ages(gconstpointer a, gconstpointer b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void print_ages(Probe *probe)
{
    GArray *ages = probe->ages_us;
    g_array_sort(ages, compare_ages);
    if (ages->len > 0) {
        say(probe, "receiver to here: p50 %.1f ms, p99 %.1f ms, max %.1f ms, %u frames",
            (double)g_array_index(ages, int64_t, ages->len / 2) / 1e3,
            (double)g_array_index(ages, int64_t, (guint64)ages->len * 99 / 100) / 1e3,
            (double)g_array_index(ages, int64_t, ages->len - 1) / 1e3, ages->len);
    }
}

static gboolean on_second(gpointer user_data)
{
    Probe *probe = user_data;
    GString *line = g_string_new("frames");
    for (int i = 0; i < MAX_TRACKS; i++) {
        if (probe->n_frames[i] > 0) {
            g_string_append_printf(line, " %d:%s*%u(%uk,%u)", i,
                                   media_codec_to_string(probe->codecs[i]), probe->n_frames[i],
                                   probe->n_bytes[i] / 1000, probe->n_keys[i]);
            probe->n_frames[i] = probe->n_keys[i] = probe->n_bytes[i] = 0;
        }
    }
    g_string_append_printf(line, " csrcs %u", g_hash_table_size(probe->csrcs));
    g_hash_table_remove_all(probe->csrcs);
    say(probe, "%s", line->str);
    g_string_free(line, TRUE);
    return G_SOURCE_CONTINUE;
}

static gboolean on_leave(gpointer user_data)
{
    Probe *probe = user_data;
    say(probe, "leaving");
    platform_leave(probe->platform);
    return G_SOURCE_REMOVE;
}

static JsonObject *read_browser(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize size = 0;
    JsonObject *object = NULL;
    if (!g_file_get_contents(path, &text, &size, &error) ||
        (object = platform_json_parse(text, size, &error)) == NULL) {
        g_printerr("%s: %s\n", path, error->message);
        exit(2);
    }
    JsonObject *inner = platform_json_object(object, "browser");
    return inner != NULL ? inner : object;
}

int main(int argc, char *argv[])
{
    Probe probe = {.seconds = 30};
    const GOptionEntry entries[] = {
        {"seconds", 0, 0, G_OPTION_ARG_INT, &probe.seconds, "leave after", "N"},
        {"say", 0, 0, G_OPTION_ARG_NONE, &probe.say, "speak a tone", NULL},
        {"no-video", 0, 0, G_OPTION_ARG_NONE, &probe.no_video, "audio only", NULL},
        {"chat", 0, 0, G_OPTION_ARG_STRING, &probe.chat, "write it into the chat", "TEXT"},
        {"out", 0, 0, G_OPTION_ARG_STRING, &probe.out, "for pictures", "DIR"},
        {NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new("URL [BROWSER.json]");
    g_option_context_add_main_entries(context, entries, NULL);
    g_autoptr(GError) error = NULL;
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc < 2) {
        g_printerr("%s\n", error != NULL ? error->message : "which URL?");
        return 2;
    }
    static const PlatformEvents events = {.on_lobby = on_lobby,
                                          .on_host_absent = on_host_absent,
                                          .on_admitted = on_admitted,
                                          .on_recording_permission = on_recording_permission,
                                          .on_participant = on_participant,
                                          .on_source = on_source,
                                          .on_track_ended = on_track_ended,
                                          .on_frame = on_frame,
                                          .on_chat = on_chat,
                                          .on_microphone = on_microphone,
                                          .on_rule = on_rule,
                                          .on_warning = on_warning,
                                          .on_left = on_left};
    PlatformConfig config = {.meeting_url = argv[1],
                             .bot_name = "Steno probe",
                             .output_dir = probe.out,
                             .want_video = !probe.no_video,
                             .want_microphone = probe.say,
                             .browser = argc > 2 ? read_browser(argv[2]) : NULL};
    probe.loop = g_main_loop_new(NULL, FALSE);
    probe.start_us = g_get_monotonic_time();
    probe.ages_us = g_array_new(FALSE, FALSE, sizeof(int64_t));
    probe.csrcs = g_hash_table_new(NULL, NULL);
    probe.platform = platform_new(&config, &events, &probe, &error);
    if (probe.platform == NULL) {
        g_printerr("%s\n", error->message);
        return 2;
    }
    platform_join(probe.platform);
    g_timeout_add_seconds(1, on_second, &probe);
    g_timeout_add_seconds((guint)probe.seconds, on_leave, &probe);
    g_unix_signal_add(SIGINT, on_leave, &probe);
    g_main_loop_run(probe.loop);
    print_ages(&probe);
    platform_free(probe.platform);
    say(&probe, "done");
    g_array_unref(probe.ages_us);
    g_hash_table_unref(probe.csrcs);
    g_main_loop_unref(probe.loop);
    return 0;
}
