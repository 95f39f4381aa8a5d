// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/scenario.h"

#include "media/json.h"
#include "tests/meeting/quirks.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define MAX_DEPTH 32

G_DEFINE_QUARK(meeting_error_quark, meeting_error)

/* Where the parser stands: shared by every reader below, so that errors can name the place. */
typedef struct {
    MeetingScenario *scenario;
    const char *folder;
    const char *fixtures;
    GError **error;
} Parser;

static const char *const codec_names[] = {"vp8", "vp9", "h264", NULL};

const char *meeting_codec_to_string(MeetingCodec codec)
{
    return codec_names[codec];
}

static bool fail(Parser *p, const char *path, JsonNode *node, const char *expected)
{
    g_autofree char *value = node != NULL ? json_to_string(node, FALSE) : g_strdup("nothing");
    if (strlen(value) > 80)
        strcpy(value + 77, "...");
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    g_set_error(p->error, MEETING_ERROR, MEETING_ERROR_SCENARIO, "%s: expected %s, got %s",
                *path != '\0' ? path : "scenario", expected, valid);
    return false;
}

static char *join(const char *path, const char *key)
{
    return *path != '\0' ? g_strdup_printf("%s.%s", path, key) : g_strdup(key);
}

static bool has_only(Parser *p, const char *path, JsonObject *object, const char *const *keys)
{
    g_autoptr(GList) members = json_object_get_members(object);
    for (GList *l = members; l != NULL; l = l->next) {
        if (g_strv_contains(keys, l->data))
            continue;
        g_autofree char *at = join(path, l->data);
        g_autofree char *known = g_strjoinv(", ", (char **)keys);
        g_set_error(p->error, MEETING_ERROR, MEETING_ERROR_SCENARIO,
                    "%s: unknown key; there are: %s", at, known);
        return false;
    }
    return true;
}

/* Checks that @node is an object with no keys but @keys. */
static JsonObject *as_object(Parser *p, const char *path, JsonNode *node, const char *const *keys)
{
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        fail(p, path, node, "an object");
        return NULL;
    }
    JsonObject *object = json_node_get_object(node);
    return has_only(p, path, object, keys) ? object : NULL;
}

static bool get_number(Parser *p, const char *path, JsonObject *object, const char *key, double low,
                       double high, double *ret_value)
{
    JsonNode *node = json_object_get_member(object, key);
    if (node == NULL)
        return true;
    g_autofree char *at = join(path, key);
    g_autofree char *expected = g_strdup_printf("a number from %g to %g", low, high);
    GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;
    if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
        return fail(p, at, node, expected);
    double value = json_node_get_double(node);
    if (!isfinite(value) || value < low || value > high)
        return fail(p, at, node, expected);
    *ret_value = value;
    return true;
}

/* Like get_number(), but null means @null_value. */
static bool get_optional_number(Parser *p, const char *path, JsonObject *object, const char *key,
                                double high, double null_value, double *ret_value)
{
    JsonNode *node = json_object_get_member(object, key);
    if (node == NULL)
        return true;
    if (JSON_NODE_HOLDS_NULL(node)) {
        *ret_value = null_value;
        return true;
    }
    return get_number(p, path, object, key, 0, high, ret_value);
}

static bool get_int(Parser *p, const char *path, JsonObject *object, const char *key, int low,
                    int high, int *ret_value)
{
    double value = *ret_value;
    if (!get_number(p, path, object, key, low, high, &value))
        return false;
    if (value != floor(value)) {
        g_autofree char *at = join(path, key);
        return fail(p, at, json_object_get_member(object, key), "a whole number");
    }
    *ret_value = (int)value;
    return true;
}

static bool get_bool(Parser *p, const char *path, JsonObject *object, const char *key,
                     bool *ret_value)
{
    JsonNode *node = json_object_get_member(object, key);
    if (node == NULL)
        return true;
    if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_BOOLEAN) {
        g_autofree char *at = join(path, key);
        return fail(p, at, node, "true or false");
    }
    *ret_value = json_node_get_boolean(node);
    return true;
}

static bool get_string(Parser *p, const char *path, JsonObject *object, const char *key,
                       char **ret_value)
{
    JsonNode *node = json_object_get_member(object, key);
    if (node == NULL)
        return true;
    if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING ||
        *json_node_get_string(node) == '\0' ||
        !g_utf8_validate(json_node_get_string(node), -1, NULL)) {
        g_autofree char *at = join(path, key);
        return fail(p, at, node, "a string that is not empty");
    }
    g_free(*ret_value);
    *ret_value = g_strdup(json_node_get_string(node));
    return true;
}

/* Reads a string that must be one of @names; its index goes to @ret_index. */
static bool get_choice(Parser *p, const char *path, JsonObject *object, const char *key,
                       const char *const *names, int *ret_index)
{
    g_autofree char *value = NULL;
    if (!get_string(p, path, object, key, &value))
        return false;
    if (value == NULL)
        return true;
    for (int i = 0; names[i] != NULL; i++) {
        if (g_str_equal(names[i], value)) {
            *ret_index = i;
            return true;
        }
    }
    g_autofree char *at = join(path, key);
    g_autofree char *known = g_strjoinv(", ", (char **)names);
    g_autofree char *expected = g_strdup_printf("one of %s", known);
    return fail(p, at, json_object_get_member(object, key), expected);
}

static bool require(Parser *p, const char *path, const void *value, const char *key,
                    const char *expected)
{
    if (value != NULL)
        return true;
    g_autofree char *at = join(path, key);
    return fail(p, at, NULL, expected);
}

typedef bool (*ReadItem)(Parser *p, const char *path, JsonNode *node, gpointer data);

/* Calls @read for each element of an array member, with its path. */
static bool each(Parser *p, const char *path, JsonObject *object, const char *key, ReadItem read,
                 gpointer data)
{
    JsonNode *node = json_object_get_member(object, key);
    if (node == NULL)
        return true;
    g_autofree char *at = join(path, key);
    if (!JSON_NODE_HOLDS_ARRAY(node))
        return fail(p, at, node, "an array");
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        g_autofree char *item = g_strdup_printf("%s[%u]", at, i);
        if (!read(p, item, json_array_get_element(array, i), data))
            return false;
    }
    return true;
}

/* Finds a file named in the scenario: beside the scenario, else among the fixtures. */
static char *resolve(Parser *p, const char *path, const char *file)
{
    g_autofree char *first =
        g_path_is_absolute(file) ? g_strdup(file) : g_build_filename(p->folder, file, NULL);
    if (g_file_test(first, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer(&first);
    if (p->fixtures != NULL && !g_path_is_absolute(file)) {
        g_autofree char *second = g_build_filename(p->fixtures, file, NULL);
        if (g_file_test(second, G_FILE_TEST_IS_REGULAR))
            return g_steal_pointer(&second);
    }
    g_set_error(p->error, MEETING_ERROR, MEETING_ERROR_SCENARIO, "%s: there is no file %s", path,
                first);
    return NULL;
}

static const char *const patterns[] = {"ball",
                                       "webcam",
                                       "smpte",
                                       "snow",
                                       "black",
                                       "white",
                                       "red",
                                       "green",
                                       "blue",
                                       "checkers-1",
                                       "checkers-2",
                                       "checkers-4",
                                       "checkers-8",
                                       "circular",
                                       "blink",
                                       "smpte75",
                                       "zone-plate",
                                       "gamut",
                                       "chroma-zone-plate",
                                       "solid-color",
                                       "smpte100",
                                       "bar",
                                       "pinwheel",
                                       "spokes",
                                       "gradient",
                                       "colors",
                                       NULL};

static bool check_source(Parser *p, const char *path, JsonObject *object, char **source)
{
    g_autofree char *at = join(path, "source");
    if (g_str_has_prefix(*source, "file:")) {
        char *file = resolve(p, at, *source + strlen("file:"));
        if (file == NULL)
            return false;
        g_free(*source);
        *source = g_strconcat("file:", file, NULL);
        g_free(file);
        return true;
    }
    if (g_str_equal(*source, "flash_beep"))
        return true;
    if (g_str_has_prefix(*source, "pattern:") &&
        g_strv_contains(patterns, *source + strlen("pattern:")))
        return true;
    g_autofree char *known = g_strjoinv(", ", (char **)patterns);
    g_autofree char *expected =
        g_strdup_printf("flash_beep, file:PATH, or pattern:NAME with one of %s", known);
    return fail(p, at, json_object_get_member(object, "source"), expected);
}

#define CAMERA_KEYS "source", "codec", "width", "height", "fps", "loop_s"

static bool read_picture(Parser *p, const char *path, JsonObject *object, MeetingCamera *camera)
{
    int codec = MEETING_CODEC_VP8;
    if (!get_string(p, path, object, "source", &camera->source) ||
        !require(p, path, camera->source, "source", "what the picture shows") ||
        !check_source(p, path, object, &camera->source) ||
        !get_choice(p, path, object, "codec", codec_names, &codec) ||
        !get_int(p, path, object, "width", 160, 1920, &camera->width) ||
        !get_int(p, path, object, "height", 90, 1080, &camera->height) ||
        !get_int(p, path, object, "fps", 1, 60, &camera->fps) ||
        !get_int(p, path, object, "loop_s", 1, 60, &camera->loop_s))
        return false;
    camera->codec = codec;
    if (camera->width % 2 == 0 && camera->height % 2 == 0)
        return true;
    return fail(p, path, json_object_get_member(object, "width"), "an even width and height");
}

static bool read_camera(Parser *p, const char *path, JsonNode *node, MeetingPerson *person)
{
    static const char *const keys[] = {CAMERA_KEYS, NULL};
    if (node == NULL || JSON_NODE_HOLDS_NULL(node))
        return true;
    MeetingCamera *camera = person->camera = g_new0(MeetingCamera, 1);
    *camera = (MeetingCamera){.width = 640, .height = 360, .fps = 25, .loop_s = 10};
    JsonObject *object;
    if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING) {
        /* The short form: only the source. */
        camera->source = g_strdup(json_node_get_string(node));
        g_autoptr(JsonObject) as_long = json_object_new();
        json_object_set_string_member(as_long, "source", camera->source);
        return read_picture(p, path, as_long, camera);
    }
    return (object = as_object(p, path, node, keys)) != NULL &&
           read_picture(p, path, object, camera);
}

static void speech_free(gpointer data)
{
    MeetingSpeech *speech = data;
    g_free(speech->wav);
    g_free(speech);
}

static bool read_speech(Parser *p, const char *path, JsonNode *node, gpointer data)
{
    static const char *const keys[] = {"at_s", "wav", "tone_hz", "for_s", NULL};
    MeetingPerson *person = data;
    JsonObject *object = as_object(p, path, node, keys);
    if (object == NULL)
        return false;
    MeetingSpeech *speech = g_new0(MeetingSpeech, 1);
    g_ptr_array_add(person->speech, speech);
    if (!require(p, path, json_object_get_member(object, "at_s"), "at_s", "a time") ||
        !get_number(p, path, object, "at_s", 0, 86400, &speech->at_s) ||
        !get_string(p, path, object, "wav", &speech->wav) ||
        !get_number(p, path, object, "tone_hz", 20, 20000, &speech->tone_hz) ||
        !get_number(p, path, object, "for_s", 0.02, 3600, &speech->for_s))
        return false;
    bool tone = json_object_has_member(object, "tone_hz");
    if (tone == (speech->wav != NULL) || tone != json_object_has_member(object, "for_s"))
        return fail(p, path, node, "either wav, or tone_hz with for_s");
    if (tone)
        return true;
    g_autofree char *at = join(path, "wav");
    char *file = resolve(p, at, speech->wav);
    if (file == NULL)
        return false;
    g_free(speech->wav);
    speech->wav = file;
    return true;
}

static void screen_free(gpointer data)
{
    MeetingScreen *screen = data;
    g_free(screen->camera.source);
    g_free(screen);
}

static bool read_screen(Parser *p, const char *path, JsonNode *node, gpointer data)
{
    static const char *const keys[] = {"from_s", "to_s", CAMERA_KEYS, NULL};
    MeetingPerson *person = data;
    JsonObject *object = as_object(p, path, node, keys);
    if (object == NULL)
        return false;
    MeetingScreen *screen = g_new0(MeetingScreen, 1);
    g_ptr_array_add(person->screens, screen);
    screen->to_s = G_MAXDOUBLE;
    screen->camera = (MeetingCamera){.width = 1280, .height = 720, .fps = 5, .loop_s = 10};
    if (!get_number(p, path, object, "from_s", 0, 86400, &screen->from_s) ||
        !get_optional_number(p, path, object, "to_s", 86400, G_MAXDOUBLE, &screen->to_s) ||
        !read_picture(p, path, object, &screen->camera))
        return false;
    return screen->to_s > screen->from_s || fail(p, path, node, "to_s after from_s");
}

static void person_free(gpointer data)
{
    MeetingPerson *person = data;
    g_free(person->id);
    g_free(person->name);
    g_free(person->room);
    if (person->camera != NULL)
        g_free(person->camera->source);
    g_free(person->camera);
    g_ptr_array_unref(person->speech);
    g_ptr_array_unref(person->screens);
    g_free(person);
}

static MeetingPerson *find_person(Parser *p, const char *id)
{
    for (guint i = 0; i < p->scenario->people->len; i++) {
        MeetingPerson *person = g_ptr_array_index(p->scenario->people, i);
        if (person->id != NULL && g_str_equal(person->id, id))
            return person;
    }
    return NULL;
}

/* A second device has no name, sound or camera of its own. */
static bool read_companion(Parser *p, const char *path, JsonObject *object, MeetingPerson *person)
{
    static const char *const not_its_own[] = {"name", "camera", "speech", "echo", "room"};
    g_autofree char *owner = NULL;
    if (!get_string(p, path, object, "companion_of", &owner))
        return false;
    if (owner == NULL)
        return true;
    JsonNode *node = json_object_get_member(object, "companion_of");
    person->companion_of = find_person(p, owner);
    if (person->companion_of == NULL || person->companion_of == person ||
        person->companion_of->companion_of != NULL)
        return fail(p, path, node, "companion_of somebody before this one");
    for (guint i = 0; i < G_N_ELEMENTS(not_its_own); i++) {
        g_autofree char *at = join(path, not_its_own[i]);
        if (json_object_has_member(object, not_its_own[i]))
            return fail(p, at, json_object_get_member(object, not_its_own[i]),
                        "nothing, of a companion");
    }
    person->name = g_strdup(person->companion_of->name);
    return true;
}

static bool read_person(Parser *p, const char *path, JsonNode *node, gpointer data)
{
    static const char *const keys[] = {"id",     "name",         "host",   "muted",  "echo",
                                       "join_s", "leave_s",      "camera", "speech", "screen",
                                       "room",   "companion_of", NULL};
    JsonObject *object = as_object(p, path, node, keys);
    if (object == NULL)
        return false;
    g_autofree char *id = NULL;
    if (!get_string(p, path, object, "id", &id) ||
        !require(p, path, id, "id", "a string that is not empty"))
        return false;
    if (find_person(p, id) != NULL)
        return fail(p, path, json_object_get_member(object, "id"), "an id that is not taken");
    if (p->scenario->people->len >= 100)
        return fail(p, path, NULL, "at most 100 people");
    MeetingPerson *person = g_new0(MeetingPerson, 1);
    g_ptr_array_add(p->scenario->people, person);
    person->number = (int)p->scenario->people->len;
    person->id = g_steal_pointer(&id);
    person->leave_s = G_MAXDOUBLE;
    person->speech = g_ptr_array_new_with_free_func(speech_free);
    person->screens = g_ptr_array_new_with_free_func(screen_free);
    g_autofree char *camera = join(path, "camera");
    if (!get_string(p, path, object, "name", &person->name) ||
        !get_bool(p, path, object, "host", &person->host) ||
        !get_bool(p, path, object, "muted", &person->muted) ||
        !get_bool(p, path, object, "echo", &person->echo) ||
        !get_string(p, path, object, "room", &person->room) ||
        !read_companion(p, path, object, person) ||
        !get_number(p, path, object, "join_s", 0, 86400, &person->join_s) ||
        !get_optional_number(p, path, object, "leave_s", 86400, G_MAXDOUBLE, &person->leave_s) ||
        !read_camera(p, camera, json_object_get_member(object, "camera"), person) ||
        !each(p, path, object, "speech", read_speech, person) ||
        !each(p, path, object, "screen", read_screen, person))
        return false;
    if (person->name == NULL)
        person->name = g_strdup(person->id);
    return person->leave_s > person->join_s ||
           fail(p, path, json_object_get_member(object, "leave_s"), "leave_s after join_s");
}

static void chat_free(gpointer data)
{
    MeetingChat *chat = data;
    g_free(chat->text);
    g_free(chat);
}

static bool read_named_person(Parser *p, const char *path, JsonObject *object, const char *key,
                              MeetingPerson **ret_person)
{
    g_autofree char *id = NULL;
    if (!get_string(p, path, object, key, &id) ||
        !require(p, path, id, key, "the id of a participant"))
        return false;
    *ret_person = find_person(p, id);
    if (*ret_person != NULL)
        return true;
    g_autofree char *at = join(path, key);
    return fail(p, at, json_object_get_member(object, key), "the id of a participant");
}

static bool read_chat(Parser *p, const char *path, JsonNode *node, gpointer data)
{
    static const char *const keys[] = {"at_s", "from", "text", NULL};
    JsonObject *object = as_object(p, path, node, keys);
    if (object == NULL)
        return false;
    MeetingChat *chat = g_new0(MeetingChat, 1);
    g_ptr_array_add(p->scenario->chat, chat);
    return get_number(p, path, object, "at_s", 0, 86400, &chat->at_s) &&
           read_named_person(p, path, object, "from", &chat->from) &&
           get_string(p, path, object, "text", &chat->text) &&
           require(p, path, chat->text, "text", "a string that is not empty");
}

static void event_free(gpointer data)
{
    MeetingEvent *event = data;
    g_free(event->name);
    g_free(event);
}

static bool read_event(Parser *p, const char *path, JsonNode *node, gpointer data)
{
    static const char *const keys[] = {"at_s", "do", "id", "name", NULL};
    static const char *const actions[] = {
        "end_meeting",     "remove_bot",  "deny_recording", "mute",       "unmute",
        "camera_off",      "camera_on",   "freeze_page",    "crash_page", "drop_network",
        "restore_network", "show_dialog", "send_to_lobby",  "admit_bot",  NULL};
    JsonObject *object = as_object(p, path, node, keys);
    if (object == NULL)
        return false;
    MeetingEvent *event = g_new0(MeetingEvent, 1);
    g_ptr_array_add(p->scenario->events, event);
    int action = -1;
    if (!get_number(p, path, object, "at_s", 0, 86400, &event->at_s) ||
        !get_choice(p, path, object, "do", actions, &action) ||
        !require(p, path, json_object_get_member(object, "do"), "do", "what happens"))
        return false;
    event->action = (MeetingAction)action;
    bool personal = action >= MEETING_DO_MUTE && action <= MEETING_DO_CAMERA_ON;
    bool dialog = action == MEETING_DO_SHOW_DIALOG;
    if (personal && !read_named_person(p, path, object, "id", &event->person))
        return false;
    if (dialog && (!get_string(p, path, object, "name", &event->name) ||
                   !require(p, path, event->name, "name", "the name of a dialog")))
        return false;
    if (!personal && json_object_has_member(object, "id"))
        return fail(p, path, node, "no id with this action");
    if (!dialog && json_object_has_member(object, "name"))
        return fail(p, path, node, "no name with this action");
    if (action == MEETING_DO_CAMERA_ON && event->person->camera == NULL)
        return fail(p, path, node, "a participant with a camera");
    return true;
}

static bool read_lobby(Parser *p, JsonNode *node)
{
    static const char *const keys[] = {"mode", "after_s", NULL};
    static const char *const modes[] = {"none",        "admit",  "deny", "ignore",
                                        "host_absent", "expire", NULL};
    if (node == NULL)
        return true;
    JsonObject *object = as_object(p, "lobby", node, keys);
    int mode = MEETING_LOBBY_NONE;
    if (object == NULL || !get_choice(p, "lobby", object, "mode", modes, &mode) ||
        !get_optional_number(p, "lobby", object, "after_s", 86400, G_MAXDOUBLE,
                             &p->scenario->lobby_after_s))
        return false;
    p->scenario->lobby_mode = mode;
    return true;
}

static bool read_network(Parser *p, JsonNode *node)
{
    static const char *const keys[] = {"loss", "jitter_ms", "seed", NULL};
    if (node == NULL)
        return true;
    JsonObject *object = as_object(p, "network", node, keys);
    int seed = 1;
    if (object == NULL || !get_number(p, "network", object, "loss", 0, 0.9, &p->scenario->loss) ||
        !get_number(p, "network", object, "jitter_ms", 0, 1000, &p->scenario->jitter_ms) ||
        !get_int(p, "network", object, "seed", 0, G_MAXINT, &seed))
        return false;
    p->scenario->network_seed = (guint32)seed;
    return true;
}

static bool read_wire(Parser *p, JsonNode *node)
{
    static const char *const keys[] = {"receivers", "audio_level", "red",    "recycle_every_s",
                                       "leaves",    "tells",       "roster", "farewell",
                                       "audio",     NULL};
    static const char *const audios[] = {"usual", "element", "context", "receiver", NULL};
    static const char *const tells[] = {"sources", "dominant", "page", "captions", "nothing", NULL};
    static const char *const rosters[] = {"frames", "snapshot", "nothing", NULL};
    static const char *const receivers[] = {"offer", "add_transceiver", "add_track", "inactive",
                                            NULL};
    static const char *const leaves[] = {"status", "absence", NULL};
    if (node == NULL)
        return true;
    MeetingScenario *s = p->scenario;
    JsonObject *object = as_object(p, "wire", node, keys);
    int kind = MEETING_RECEIVERS_OFFER, leave = 0, tell = MEETING_TELLS_SOURCES, roster = 0,
        audio = MEETING_AUDIO_USUAL;
    bool farewell = true;
    if (object == NULL || !get_choice(p, "wire", object, "receivers", receivers, &kind) ||
        !get_choice(p, "wire", object, "leaves", leaves, &leave) ||
        !get_choice(p, "wire", object, "tells", tells, &tell) ||
        !get_choice(p, "wire", object, "roster", rosters, &roster) ||
        !get_choice(p, "wire", object, "audio", audios, &audio) ||
        !get_bool(p, "wire", object, "farewell", &farewell) ||
        !get_bool(p, "wire", object, "audio_level", &s->audio_level) ||
        !get_bool(p, "wire", object, "red", &s->red) ||
        !get_number(p, "wire", object, "recycle_every_s", 0, 3600, &s->recycle_every_s))
        return false;
    if (s->recycle_every_s > 0 && s->recycle_every_s < 0.1)
        return fail(p, "wire.recycle_every_s", json_object_get_member(object, "recycle_every_s"),
                    "0 (off) or at least 0.1");
    s->receivers = kind;
    s->sync_leaves_only = leave == 1;
    s->tells = tell;
    s->roster_snapshot = roster == 1;
    s->no_roster = roster == 2;
    s->no_farewell = !farewell;
    s->audio = audio;
    return true;
}

static bool read_dialog_name(Parser *p, const char *path, JsonNode *node, gpointer data)
{
    if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
        return fail(p, path, node, "the name of a dialog");
    g_ptr_array_add(p->scenario->page_dialogs, g_strdup(json_node_get_string(node)));
    return true;
}

static bool read_quirk(Parser *p, const char *path, JsonNode *node, gpointer data)
{
    bool text = JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
    const char *name = text ? json_node_get_string(node) : "";
    g_autofree char *others = meeting_quirk_check(p->scenario->platform, name);
    if (others != NULL) {
        g_autofree char *expected = g_strdup_printf("one of this platform's: %s", others);
        return fail(p, path, node, expected);
    }
    g_ptr_array_add(p->scenario->quirks, g_strdup(name));
    return true;
}

static bool read_page(Parser *p, JsonNode *node)
{
    static const char *const keys[] = {
        "variant",   "dialogs",    "ui",       "wording", "lobby_shows", "no_devices", "frame",
        "forgetful", "transforms", "passcode", "cookie",  "chat",        "quirks",     NULL};
    static const char *const passcodes[] = {"none", "right", "wrong", "missing", NULL};
    static const char *const uis[] = {"light", "full", "live", NULL};
    static const char *const wordings[] = {"new", "old", "british", "german", NULL};
    static const char *const chats[] = {"usual", "late", "refusing", "editor", NULL};
    static const char *const shows[] = {"text", "cancel", "nothing", NULL};
    static const char *const variants[] = {"normal",  "not_found", "login_required", "blocked",
                                           "captcha", "full",      "cannot_create",  NULL};
    if (node == NULL)
        return true;
    JsonObject *object = as_object(p, "page", node, keys);
    MeetingScenario *s = p->scenario;
    int variant = MEETING_PAGE_NORMAL, ui = 0, wording = 0, lobby = 0, passcode = 0, chat = 0;
    if (object == NULL || !get_choice(p, "page", object, "variant", variants, &variant) ||
        !get_choice(p, "page", object, "ui", uis, &ui) ||
        !get_choice(p, "page", object, "wording", wordings, &wording) ||
        !get_choice(p, "page", object, "chat", chats, &chat) ||
        !get_choice(p, "page", object, "lobby_shows", shows, &lobby) ||
        !get_choice(p, "page", object, "passcode", passcodes, &passcode) ||
        !get_string(p, "page", object, "cookie", &s->cookie) ||
        !get_bool(p, "page", object, "no_devices", &s->no_devices) ||
        !get_bool(p, "page", object, "frame", &s->in_frame) ||
        !get_bool(p, "page", object, "forgetful", &s->forgetful) ||
        !get_bool(p, "page", object, "transforms", &s->transforms) ||
        !each(p, "page", object, "quirks", read_quirk, NULL) ||
        !each(p, "page", object, "dialogs", read_dialog_name, NULL))
        return false;
    s->page_variant = variant;
    s->ui = ui;
    s->wording = wording;
    s->lobby_shows = lobby;
    s->passcode = passcode;
    s->chat_field = chat;
    return true;
}

static gint by_time(gconstpointer a, gconstpointer b)
{
    /* Both MeetingChat and MeetingEvent begin with their time. */
    const double *first = *(double *const *)a, *second = *(double *const *)b;
    return *first < *second ? -1 : *first > *second;
}

/* What of "page" only Meet's stand-in can do. */
static bool check_page(Parser *p, JsonObject *object)
{
    const MeetingScenario *s = p->scenario;
    JsonObject *page = json_object_has_member(object, "page")
                           ? json_object_get_object_member(object, "page")
                           : NULL;
    const struct {
        bool used;
        const char *name;
    } meets[] = {{s->wording == MEETING_WORDING_GERMAN, "wording"},
                 {s->chat_field == MEETING_CHAT_EDITOR, "chat"},
                 {s->page_variant >= MEETING_PAGE_FULL, "variant"}};
    for (size_t i = 0; i < G_N_ELEMENTS(meets); i++) {
        if (meets[i].used && s->platform != MEETING_PLATFORM_MEET) {
            g_autofree char *path = g_strconcat("page.", meets[i].name, NULL);
            return fail(p, path, json_object_get_member(page, meets[i].name),
                        "something that not only Meet's page has");
        }
    }
    return true;
}

static bool read_scenario(Parser *p, JsonObject *object)
{
    static const char *const keys[] = {"platform", "duration_s", "lobby", "participants", "chat",
                                       "events",   "network",    "wire",  "page",         NULL};
    static const char *const platforms[] = {"meet", "teams", "zoom", NULL};
    MeetingScenario *s = p->scenario;
    int platform = 0;
    if (!has_only(p, "", object, keys) ||
        !get_choice(p, "", object, "platform", platforms, &platform))
        return false;
    s->platform = platform;
    if (!get_optional_number(p, "", object, "duration_s", 86400, G_MAXDOUBLE, &s->duration_s) ||
        !read_lobby(p, json_object_get_member(object, "lobby")) ||
        !each(p, "", object, "participants", read_person, NULL) ||
        !each(p, "", object, "chat", read_chat, NULL) ||
        !each(p, "", object, "events", read_event, NULL) ||
        !read_network(p, json_object_get_member(object, "network")) ||
        !read_wire(p, json_object_get_member(object, "wire")) ||
        !read_page(p, json_object_get_member(object, "page")))
        return false;
    if (!check_page(p, object))
        return false;
    if (s->audio == MEETING_AUDIO_USUAL)
        s->audio =
            platform == MEETING_PLATFORM_ZOOM ? MEETING_AUDIO_ELEMENT : MEETING_AUDIO_RECEIVER;
    /* Zoom's wire names nobody who speaks: its page does. */
    if (s->platform == MEETING_PLATFORM_ZOOM && s->tells == MEETING_TELLS_SOURCES)
        s->tells = MEETING_TELLS_PAGE;
    g_ptr_array_sort(s->chat, by_time);
    g_ptr_array_sort(s->events, by_time);
    return true;
}

MeetingScenario *meeting_scenario_parse(const char *json, gssize length, const char *folder,
                                        const char *fixtures, GError **error)
{
    g_autoptr(GError) syntax = NULL;
    gsize size = length >= 0 ? (gsize)length : strlen(json);
    g_autoptr(JsonObject) document =
        media_json_parse(json, size, MAX_DEPTH, MEDIA_JSON_REFUSE_NO_TEXT, &syntax);
    if (document == NULL) {
        g_set_error(error, MEETING_ERROR, MEETING_ERROR_SCENARIO, "the scenario is %s",
                    syntax->message);
        return NULL;
    }
    g_autoptr(MeetingScenario) scenario = g_new0(MeetingScenario, 1);
    scenario->duration_s = G_MAXDOUBLE;
    scenario->people = g_ptr_array_new_with_free_func(person_free);
    scenario->chat = g_ptr_array_new_with_free_func(chat_free);
    scenario->events = g_ptr_array_new_with_free_func(event_free);
    scenario->page_dialogs = g_ptr_array_new_with_free_func(g_free);
    scenario->quirks = g_ptr_array_new_with_free_func(g_free);
    scenario->audio_level = true;
    scenario->network_seed = 1;
    Parser p = {scenario, folder, fixtures, error};
    if (!read_scenario(&p, document))
        return NULL;
    return g_steal_pointer(&scenario);
}

void meeting_scenario_free(MeetingScenario *scenario)
{
    if (scenario == NULL)
        return;
    g_ptr_array_unref(scenario->events);
    g_ptr_array_unref(scenario->chat);
    g_ptr_array_unref(scenario->people);
    g_ptr_array_unref(scenario->page_dialogs);
    g_ptr_array_unref(scenario->quirks);
    g_free(scenario->cookie);
    g_free(scenario);
}
