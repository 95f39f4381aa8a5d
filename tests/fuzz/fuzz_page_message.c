/* SPDX-License-Identifier: Apache-2.0 */
/* What a page tells an adapter, message by message: whatever it is, what goes up keeps the contract
 * of PlatformEvents. The first byte chooses the platform; then a message a line. */
#include "platforms/adapter/adapter.h"

#include "platforms/json.h"
#include "platforms/platform.h"
#include "tests/fuzz/small_rules.h"

#include <glib/gstdio.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const platforms[] = {"meet", "teams", "zoom"};

static void on_lobby(gpointer user_data)
{
}

static void on_admitted(gpointer user_data)
{
}

static void on_recording_permission(bool granted, const char *reason, gpointer user_data)
{
}

/* Who leaves has come; names are text. */
static void on_participant(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data)
{
    GHashTable *here = user_data;
    g_assert_true(g_utf8_validate(participant->name, -1, NULL));
    if (op == PLATFORM_PARTICIPANT_LEFT) {
        g_assert_true(g_hash_table_remove(here, participant->platform_id));
    } else {
        g_hash_table_add(here, g_strdup(participant->platform_id));
    }
}

static void on_source(const PlatformSource *source, gpointer user_data)
{
    g_assert_nonnull(source->platform_id);
}

static void on_speaker(const char *platform_id, gpointer user_data)
{
}

static void on_chat(const char *id, const char *name, const char *text, gpointer user_data)
{
    g_assert_true(text != NULL && g_utf8_validate(text, -1, NULL));
}

static void on_warning(const char *code, const char *message, gpointer user_data)
{
    g_assert_true(*code != '\0' && g_utf8_validate(message, -1, NULL));
}

static void on_left(const PlatformLeftInfo *info, gpointer user_data)
{
}

static char *rules_dir; /* owned; of this process */

static void remove_rules(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(platforms); i++) {
        g_autofree char *path = g_strconcat(rules_dir, "/", platforms[i], ".json", NULL);
        g_unlink(path);
    }
    g_rmdir(rules_dir);
    g_free(rules_dir);
}

/* An adapter reads its rules when it is made. */
static void write_rules(void)
{
    rules_dir = g_dir_make_tmp("steno-fuzz-XXXXXX", NULL);
    g_assert_nonnull(rules_dir);
    for (size_t i = 0; i < G_N_ELEMENTS(platforms); i++) {
        g_autofree char *path = g_strconcat(rules_dir, "/", platforms[i], ".json", NULL);
        g_autofree char *text = small_rules(platforms[i]);
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
    }
    g_setenv("STENO_PLATFORM_DIR", rules_dir, TRUE);
    atexit(remove_rules);
}

static void tell(Platform *platform, const char *line)
{
    g_autoptr(JsonObject) message = platform_json_parse(line, strlen(line), NULL);
    if (message != NULL) {
        adapter_page_events.on_message(platform_json_string(message, "type", ""), message,
                                       platform);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const urls[] = {"https://meet.google.com/abc-defg-hij",
                                       "https://teams.microsoft.com/meet/1234567890123?p=x",
                                       "https://zoom.us/j/81234567890"};
    static const PlatformEvents events = {.on_lobby = on_lobby,
                                          .on_admitted = on_admitted,
                                          .on_recording_permission = on_recording_permission,
                                          .on_participant = on_participant,
                                          .on_source = on_source,
                                          .on_speaker = on_speaker,
                                          .on_chat = on_chat,
                                          .on_warning = on_warning,
                                          .on_left = on_left};
    if (size < 1) {
        return 0;
    }
    if (rules_dir == NULL) {
        write_rules();
    }
    g_autoptr(GHashTable) here = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GError) error = NULL;
    PlatformConfig config = {
        .meeting_url = urls[data[0] % G_N_ELEMENTS(urls)], .bot_name = "Steno", .want_video = true};
    Platform *platform = platform_new(&config, &events, here, &error);
    g_assert_no_error(error);
    g_autofree char *text = g_strndup((const char *)data + 1, size - 1);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 200);
    for (char **line = lines; *line != NULL; line++) {
        tell(platform, *line);
    }
    platform_free(platform);
    return 0;
}
