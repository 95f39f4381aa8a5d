/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/null/document.h"

#include "base/text.h"
#include "media/json.h"

#include <math.h>
#include <string.h>

#define MAX_DEPTH 16
#define MAX_SECONDS 1000000
#define MAX_ITEMS 2000
#define MAX_TEXT_CHARS 10000
#define MAX_SHOWN_CHARS 80

/* --- objects by tables of their members --- */

typedef struct {
    NullDocument *document;
    unsigned person;                      /* whose speech or screen is read */
    int64_t speech_end_us, screen_end_us; /* of the one before */
    GError **error;
} Reader;

typedef bool (*ReadNode)(Reader *reader, const char *path, JsonNode *node);

typedef enum {
    FIELD_SECONDS, /* int64_t microseconds */
    FIELD_BOOL,
    FIELD_NUMBER, /* unsigned, a whole number */
    FIELD_TEXT,   /* char *, owned */
    FIELD_CHOICE, /* int: index in choices */
    FIELD_OBJECT, /* its reader is called with it */
    FIELD_LIST,   /* its reader is called with each element */
} FieldKind;

typedef struct {
    const char *key;
    FieldKind kind;
    unsigned low, high;
    bool nullable; /* null stands for the default */
    size_t offset; /* of where the value goes */
    const char *const *choices;
    ReadNode read;
} Field;

static bool refuse(Reader *reader, const char *path, JsonNode *node, const char *expected)
{
    g_autofree char *json = node != NULL ? json_to_string(node, FALSE) : g_strdup("nothing");
    g_autofree char *shown = base_text_cut(json, MAX_SHOWN_CHARS);
    g_set_error(reader->error, PLATFORM_ERROR, PLATFORM_ERROR_RULES, "%s: %s is not %s", path,
                shown, expected);
    return false;
}

static bool read_seconds(Reader *reader, const char *path, JsonNode *node, int64_t *ret_us)
{
    GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;
    double value =
        type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double(node) : -1.0;
    if (!isfinite(value) || value < 0 || value > MAX_SECONDS) {
        return refuse(reader, path, node, "a number of seconds from 0 to 1000000");
    }
    *ret_us = (int64_t)llround(value * G_USEC_PER_SEC);
    return true;
}

static bool read_number(Reader *reader, const char *path, JsonNode *node, const Field *field,
                        unsigned *ret_value)
{
    bool is_int = JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64;
    gint64 value = is_int ? json_node_get_int(node) : -1;
    if (value < field->low || value > field->high) {
        g_autofree char *expected =
            g_strdup_printf("a whole number from %u to %u", field->low, field->high);
        return refuse(reader, path, node, expected);
    }
    *ret_value = (unsigned)value;
    return true;
}

static const char *get_text(JsonNode *node)
{
    bool is_text = JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
    return is_text ? json_node_get_string(node) : NULL;
}

static bool read_text(Reader *reader, const char *path, JsonNode *node, char **ret_text)
{
    const char *text = get_text(node);
    if (text == NULL || *text == '\0' || g_utf8_strlen(text, -1) > MAX_TEXT_CHARS) {
        return refuse(reader, path, node, "a string of 1 to 10000 characters");
    }
    *ret_text = g_strdup(text);
    return true;
}

static bool read_choice(Reader *reader, const char *path, JsonNode *node, const Field *field,
                        int *ret_choice)
{
    const char *text = get_text(node);
    for (int i = 0; text != NULL && field->choices[i] != NULL; i++) {
        if (strcmp(field->choices[i], text) == 0) {
            *ret_choice = i;
            return true;
        }
    }
    g_autofree char *known = g_strjoinv(", ", (char **)field->choices);
    g_autofree char *expected = g_strconcat("one of: ", known, NULL);
    return refuse(reader, path, node, expected);
}

static bool read_list(Reader *reader, const char *path, JsonNode *node, ReadNode read)
{
    if (!JSON_NODE_HOLDS_ARRAY(node) ||
        json_array_get_length(json_node_get_array(node)) > MAX_ITEMS) {
        return refuse(reader, path, node, "an array of at most 2000");
    }
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        g_autofree char *item = g_strdup_printf("%s[%u]", path, i);
        if (!read(reader, item, json_array_get_element(array, i))) {
            return false;
        }
    }
    return true;
}

static bool read_field(Reader *reader, const char *path, JsonNode *node, const Field *field,
                       void *target)
{
    switch (field->kind) {
    case FIELD_SECONDS:
        return read_seconds(reader, path, node, target);
    case FIELD_BOOL:
        if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_BOOLEAN) {
            return refuse(reader, path, node, "true or false");
        }
        *(bool *)target = json_node_get_boolean(node);
        return true;
    case FIELD_NUMBER:
        return read_number(reader, path, node, field, target);
    case FIELD_TEXT:
        return read_text(reader, path, node, target);
    case FIELD_CHOICE:
        return read_choice(reader, path, node, field, target);
    case FIELD_OBJECT:
        return field->read(reader, path, node);
    case FIELD_LIST:
        return read_list(reader, path, node, field->read);
    }
    g_assert_not_reached();
}

static bool refuse_key(Reader *reader, const char *path, const char *key, const Field *fields,
                       size_t n_fields)
{
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; i < n_fields; i++) {
        g_string_append_printf(known, "%s%s", i > 0 ? ", " : "", fields[i].key);
    }
    g_autofree char *shown = base_text_cut(key, MAX_SHOWN_CHARS);
    g_set_error(reader->error, PLATFORM_ERROR, PLATFORM_ERROR_RULES,
                "%s.%s: unknown key; there are: %s", path, shown, known->str);
    return false;
}

static bool has_only(Reader *reader, const char *path, JsonObject *object, const Field *fields,
                     size_t n_fields)
{
    g_autoptr(GList) keys = json_object_get_members(object);
    for (GList *item = keys; item != NULL; item = item->next) {
        bool known = false;
        for (size_t i = 0; i < n_fields && !known; i++) {
            known = strcmp(fields[i].key, item->data) == 0;
        }
        if (!known) {
            return refuse_key(reader, path, item->data, fields, n_fields);
        }
    }
    return true;
}

/* Reads into @target, which has the defaults, in the order of the table. */
static bool read_object(Reader *reader, const char *path, JsonNode *node, const Field *fields,
                        size_t n_fields, void *target)
{
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        return refuse(reader, path, node, "an object");
    }
    JsonObject *object = json_node_get_object(node);
    if (!has_only(reader, path, object, fields, n_fields)) {
        return false;
    }
    for (size_t i = 0; i < n_fields; i++) {
        JsonNode *value = json_object_get_member(object, fields[i].key);
        if (value == NULL || (fields[i].nullable && JSON_NODE_HOLDS_NULL(value))) {
            continue;
        }
        g_autofree char *at = g_strdup_printf("%s.%s", path, fields[i].key);
        if (!read_field(reader, at, value, &fields[i], (char *)target + fields[i].offset)) {
            return false;
        }
    }
    return true;
}

/* --- steps --- */

static void add_step(Reader *reader, int64_t at_us, NullStep step)
{
    step.at_us = at_us;
    step.order = reader->document->steps->len;
    g_array_append_val(reader->document->steps, step);
}

static int compare_steps(gconstpointer a, gconstpointer b)
{
    const NullStep *left = a, *right = b;
    if (left->at_us != right->at_us) {
        return left->at_us < right->at_us ? -1 : 1;
    }
    if ((left->kind == NULL_STEP_COME) != (right->kind == NULL_STEP_COME)) {
        return left->kind == NULL_STEP_COME ? -1 : 1; /* who does something is there */
    }
    return left->order < right->order ? -1 : 1;
}

static void clear_step(gpointer step)
{
    g_free(((NullStep *)step)->text);
}

static bool find_person(Reader *reader, const char *path, const char *id, unsigned *ret_index)
{
    for (guint i = 0; id != NULL && i < reader->document->people->len; i++) {
        const NullPerson *person = g_ptr_array_index(reader->document->people, i);
        if (strcmp(person->id, id) == 0) {
            *ret_index = i;
            return true;
        }
    }
    g_set_error(reader->error, PLATFORM_ERROR, PLATFORM_ERROR_RULES,
                "%s: expected the id of a participant", path);
    return false;
}

/* --- people --- */

typedef struct {
    int64_t at_us, for_us;
    unsigned tone_hz;
} Speech;

/* Those of one person come in order, and one ends before the next begins. */
static bool check_stretch(Reader *reader, const char *path, int64_t from_us, int64_t to_us,
                          int64_t *end_us)
{
    bool good = from_us >= *end_us && (to_us == NULL_NEVER_US || to_us > from_us);
    *end_us = to_us == NULL_NEVER_US ? INT64_MAX : to_us;
    if (!good) {
        g_set_error(reader->error, PLATFORM_ERROR, PLATFORM_ERROR_RULES,
                    "%s: expected one that lasts, and begins after the one before has ended", path);
    }
    return good;
}

static bool read_speech(Reader *reader, const char *path, JsonNode *node)
{
    static const Field fields[] = {
        {"at_s", FIELD_SECONDS, .offset = offsetof(Speech, at_us), .nullable = false},
        {"for_s", FIELD_SECONDS, .offset = offsetof(Speech, for_us), .nullable = false},
        {"tone_hz", FIELD_NUMBER, .offset = offsetof(Speech, tone_hz), .low = 20, .high = 8000},
    };
    Speech speech = {0, 0, 440};
    if (!read_object(reader, path, node, fields, G_N_ELEMENTS(fields), &speech)) {
        return false;
    }
    if (!check_stretch(reader, path, speech.at_us, speech.at_us + speech.for_us,
                       &reader->speech_end_us)) {
        return false;
    }
    NullStep begin = {.kind = NULL_STEP_SPEAK,
                      .person = reader->person,
                      .tone_hz = speech.tone_hz,
                      .for_us = speech.for_us};
    NullStep end = {.kind = NULL_STEP_SILENCE, .person = reader->person};
    add_step(reader, speech.at_us, begin);
    add_step(reader, speech.at_us + speech.for_us, end);
    return true;
}

typedef struct {
    int64_t from_us, to_us;
} Screen;

static bool read_screen(Reader *reader, const char *path, JsonNode *node)
{
    static const Field fields[] = {
        {"from_s", FIELD_SECONDS, .offset = offsetof(Screen, from_us), .nullable = false},
        {"to_s", FIELD_SECONDS, .offset = offsetof(Screen, to_us), .nullable = true},
    };
    Screen screen = {0, NULL_NEVER_US};
    if (!read_object(reader, path, node, fields, G_N_ELEMENTS(fields), &screen)) {
        return false;
    }
    if (!check_stretch(reader, path, screen.from_us, screen.to_us, &reader->screen_end_us)) {
        return false;
    }
    NullStep on = {.kind = NULL_STEP_SCREEN_ON, .person = reader->person};
    NullStep off = {.kind = NULL_STEP_SCREEN_OFF, .person = reader->person};
    add_step(reader, screen.from_us, on);
    if (screen.to_us != NULL_NEVER_US) {
        add_step(reader, screen.to_us, off);
    }
    return true;
}

typedef struct {
    char *id, *name;
    bool host, muted, camera;
    int64_t join_us, leave_us, name_us;
} PersonRow;

static void free_person(gpointer data)
{
    NullPerson *person = data;
    g_free(person->id);
    g_free(person->name);
    g_free(person);
}

static bool check_id(Reader *reader, const char *path, const char *id)
{
    const NullDocument *document = reader->document;
    bool good = id != NULL;
    for (guint i = 0; good && i < document->people->len; i++) {
        good = strcmp(((NullPerson *)g_ptr_array_index(document->people, i))->id, id) != 0;
    }
    if (!good) {
        g_set_error(reader->error, PLATFORM_ERROR, PLATFORM_ERROR_RULES,
                    "%s.id: expected a text that no other participant has", path);
    }
    return good;
}

static bool check_stay(Reader *reader, const char *path, const PersonRow *row)
{
    bool good = row->leave_us == NULL_NEVER_US || row->leave_us > row->join_us;
    if (!good) {
        g_set_error(reader->error, PLATFORM_ERROR, PLATFORM_ERROR_RULES,
                    "%s.leave_s: expected a time after join_s", path);
    }
    return good;
}

/* Takes over the row's texts. */
static void add_person(Reader *reader, PersonRow *row)
{
    NullPerson *person = g_new0(NullPerson, 1);
    person->name = row->name != NULL ? g_steal_pointer(&row->name) : g_strdup(row->id);
    person->id = g_steal_pointer(&row->id);
    person->is_host = row->host;
    person->muted = row->muted;
    person->camera = row->camera;
    person->unnamed = row->name_us > 0;
    unsigned index = reader->document->people->len;
    g_ptr_array_add(reader->document->people, person);
    add_step(reader, row->join_us, (NullStep){.kind = NULL_STEP_COME, .person = index});
    if (person->unnamed) {
        add_step(reader, row->name_us, (NullStep){.kind = NULL_STEP_NAME, .person = index});
    }
    if (row->leave_us != NULL_NEVER_US) {
        add_step(reader, row->leave_us, (NullStep){.kind = NULL_STEP_GO, .person = index});
    }
}

static bool read_person(Reader *reader, const char *path, JsonNode *node)
{
    static const Field fields[] = {
        {"id", FIELD_TEXT, .offset = offsetof(PersonRow, id), .nullable = false},
        {"name", FIELD_TEXT, .offset = offsetof(PersonRow, name), .nullable = true},
        {"name_s", FIELD_SECONDS, .offset = offsetof(PersonRow, name_us), .nullable = true},
        {"host", FIELD_BOOL, .offset = offsetof(PersonRow, host), .nullable = false},
        {"muted", FIELD_BOOL, .offset = offsetof(PersonRow, muted), .nullable = false},
        {"camera", FIELD_BOOL, .offset = offsetof(PersonRow, camera), .nullable = true},
        {"join_s", FIELD_SECONDS, .offset = offsetof(PersonRow, join_us), .nullable = false},
        {"leave_s", FIELD_SECONDS, .offset = offsetof(PersonRow, leave_us), .nullable = true},
        {"speech", FIELD_LIST, .read = read_speech},
        {"screen", FIELD_LIST, .read = read_screen},
    };
    PersonRow row = {.leave_us = NULL_NEVER_US};
    reader->person = reader->document->people->len;
    reader->speech_end_us = reader->screen_end_us = 0;
    bool good = read_object(reader, path, node, fields, G_N_ELEMENTS(fields), &row) &&
                check_id(reader, path, row.id) && check_stay(reader, path, &row);
    if (good) {
        add_person(reader, &row);
    }
    g_free(row.id);
    g_free(row.name);
    return good;
}

/* --- chat and events --- */

typedef struct {
    int64_t at_us;
    char *from, *text;
} ChatRow;

static bool read_chat(Reader *reader, const char *path, JsonNode *node)
{
    static const Field fields[] = {
        {"at_s", FIELD_SECONDS, .offset = offsetof(ChatRow, at_us), .nullable = false},
        {"from", FIELD_TEXT, .offset = offsetof(ChatRow, from), .nullable = false},
        {"text", FIELD_TEXT, .offset = offsetof(ChatRow, text), .nullable = false},
    };
    ChatRow row = {0};
    NullStep step = {.kind = NULL_STEP_CHAT};
    g_autofree char *from = g_strconcat(path, ".from", NULL);
    bool good = read_object(reader, path, node, fields, G_N_ELEMENTS(fields), &row) &&
                find_person(reader, from, row.from, &step.person);
    if (good && row.text == NULL) {
        g_autofree char *text = g_strconcat(path, ".text", NULL);
        good = refuse(reader, text, NULL, "what is written");
    }
    if (good) {
        step.text = g_steal_pointer(&row.text);
        add_step(reader, row.at_us, step);
    }
    g_free(row.from);
    g_free(row.text);
    return good;
}

static const char *const event_names[] = {
    "mute",       "unmute",    "camera_off",    "camera_on", "end_meeting",    "remove_bot",
    "crash_page", "end",       "send_to_lobby", "admit_bot", "deny_recording", "allow_recording",
    "mute_bot",   "stop_chat", "allow_chat",    NULL};

typedef enum {
    WANTS_NOTHING = 0,
    WANTS_ID = 1 << 0,
    WANTS_LEFT = 1 << 1,
    WANTS_TIMES = 1 << 2,
    WANTS_MESSAGE = 1 << 3,
} EventWants;

/* In the order of event_names. */
static const struct {
    NullStepKind kind;
    PlatformLeft left;
    EventWants wants;
} event_rows[] = {
    {NULL_STEP_MUTE, 0, WANTS_ID},
    {NULL_STEP_UNMUTE, 0, WANTS_ID},
    {NULL_STEP_CAMERA_OFF, 0, WANTS_ID},
    {NULL_STEP_CAMERA_ON, 0, WANTS_ID},
    {NULL_STEP_END, PLATFORM_LEFT_ENDED, WANTS_NOTHING},
    {NULL_STEP_END, PLATFORM_LEFT_REMOVED, WANTS_NOTHING},
    {NULL_STEP_END, PLATFORM_LEFT_PAGE_LOST, WANTS_TIMES},
    {NULL_STEP_END, 0, (EventWants)(WANTS_LEFT | WANTS_TIMES | WANTS_MESSAGE)},
    {NULL_STEP_SEND_TO_LOBBY, 0, WANTS_NOTHING},
    {NULL_STEP_ADMIT_BOT, 0, WANTS_NOTHING},
    {NULL_STEP_DENY_RECORDING, 0, WANTS_NOTHING},
    {NULL_STEP_ALLOW_RECORDING, 0, WANTS_NOTHING},
    {NULL_STEP_MUTE_BOT, 0, WANTS_NOTHING},
    {NULL_STEP_STOP_CHAT, 0, WANTS_NOTHING},
    {NULL_STEP_ALLOW_CHAT, 0, WANTS_NOTHING},
};
G_STATIC_ASSERT(G_N_ELEMENTS(event_rows) + 1 == G_N_ELEMENTS(event_names));

/* Without "requested", which is nobody's but the bot's own. */
static const char *const left_names[] = {
    "denied",           "lobby_timeout", "not_found", "login_required", "captcha",
    "bots_not_allowed", "removed",       "ended",     "page_lost",      "network_lost",
    "ui_not_found",     "internal",      NULL};

typedef struct {
    int64_t at_us;
    int what, left;
    char *id, *message;
    unsigned times;
} EventRow;

static bool check_event(Reader *reader, const char *path, const EventRow *row)
{
    if (row->what < 0) {
        g_autofree char *at = g_strconcat(path, ".do", NULL);
        return refuse(reader, at, NULL, "what happens");
    }
    EventWants wants = event_rows[row->what].wants;
    const struct {
        const char *key;
        EventWants flag;
        bool given, needed;
    } keys[] = {
        {"id", WANTS_ID, row->id != NULL, true},
        {"left", WANTS_LEFT, row->left >= 0, true},
        {"times", WANTS_TIMES, row->times > 0, false},
        {"message", WANTS_MESSAGE, row->message != NULL, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        bool wanted = (wants & keys[i].flag) != 0;
        if (keys[i].given ? !wanted : wanted && keys[i].needed) {
            g_set_error(reader->error, PLATFORM_ERROR, PLATFORM_ERROR_RULES, "%s.%s: \"%s\" %s it",
                        path, keys[i].key, event_names[row->what],
                        wanted ? "needs" : "has no use for");
            return false;
        }
    }
    return true;
}

static bool add_event(Reader *reader, const char *path, EventRow *row)
{
    NullStep step = {.kind = event_rows[row->what].kind,
                     .left = event_rows[row->what].left,
                     .n_times = MAX(row->times, 1)};
    if (row->left >= 0) {
        step.left = (PlatformLeft)(row->left + PLATFORM_LEFT_DENIED);
    }
    g_autofree char *at = g_strconcat(path, ".id", NULL);
    if (row->id != NULL && !find_person(reader, at, row->id, &step.person)) {
        return false;
    }
    step.text = g_steal_pointer(&row->message);
    add_step(reader, row->at_us, step);
    return true;
}

static bool read_event(Reader *reader, const char *path, JsonNode *node)
{
    static const Field fields[] = {
        {"at_s", FIELD_SECONDS, .offset = offsetof(EventRow, at_us), .nullable = false},
        {"do", FIELD_CHOICE, .offset = offsetof(EventRow, what), .choices = event_names},
        {"id", FIELD_TEXT, .offset = offsetof(EventRow, id), .nullable = false},
        {"left", FIELD_CHOICE, .offset = offsetof(EventRow, left), .choices = left_names},
        {"times", FIELD_NUMBER, .offset = offsetof(EventRow, times), .low = 1, .high = 20},
        {"message", FIELD_TEXT, .offset = offsetof(EventRow, message), .nullable = false},
    };
    EventRow row = {.what = -1, .left = -1};
    bool good = read_object(reader, path, node, fields, G_N_ELEMENTS(fields), &row) &&
                check_event(reader, path, &row) && add_event(reader, path, &row);
    g_free(row.id);
    g_free(row.message);
    return good;
}

/* --- the whole --- */

typedef struct {
    int left;
    int64_t for_us;
} JoiningRow;

static bool read_joining(Reader *reader, const char *path, JsonNode *node)
{
    static const Field fields[] = {
        {"for_s", FIELD_SECONDS, .offset = offsetof(JoiningRow, for_us), .nullable = false},
        {"left", FIELD_CHOICE, .offset = offsetof(JoiningRow, left), .choices = left_names},
    };
    JoiningRow row = {.left = -1};
    if (!read_object(reader, path, node, fields, G_N_ELEMENTS(fields), &row)) {
        return false;
    }
    NullDocument *document = reader->document;
    document->joining_us = row.for_us;
    document->joining_ends = row.left >= 0;
    document->joining_left = (PlatformLeft)(MAX(row.left, 0) + PLATFORM_LEFT_DENIED);
    return true;
}

typedef struct {
    int mode;
    int64_t after_us;
} LobbyRow;

static bool read_lobby(Reader *reader, const char *path, JsonNode *node)
{
    static const char *const modes[] = {"none",        "admit",  "deny", "ignore",
                                        "host_absent", "expire", NULL};
    static const Field fields[] = {
        {"mode", FIELD_CHOICE, .offset = offsetof(LobbyRow, mode), .choices = modes},
        {"after_s", FIELD_SECONDS, .offset = offsetof(LobbyRow, after_us), .nullable = false},
    };
    LobbyRow row = {0};
    if (!read_object(reader, path, node, fields, G_N_ELEMENTS(fields), &row)) {
        return false;
    }
    reader->document->lobby = (NullLobby)row.mode;
    reader->document->lobby_us = row.after_us;
    return true;
}

typedef struct {
    int64_t duration_us, leaving_us;
    int recording;
} DocumentRow;

static bool read_document(Reader *reader, JsonNode *node)
{
    static const char *const recordings[] = {"granted", "denied", "later", NULL};
    static const Field fields[] = {
        {"duration_s", FIELD_SECONDS, .offset = offsetof(DocumentRow, duration_us),
         .nullable = true},
        {"joining", FIELD_OBJECT, .read = read_joining},
        {"lobby", FIELD_OBJECT, .read = read_lobby},
        {"recording", FIELD_CHOICE, .offset = offsetof(DocumentRow, recording),
         .choices = recordings},
        {"leaving_s", FIELD_SECONDS, .offset = offsetof(DocumentRow, leaving_us),
         .nullable = false},
        {"participants", FIELD_LIST, .read = read_person},
        {"chat", FIELD_LIST, .read = read_chat},
        {"events", FIELD_LIST, .read = read_event},
    };
    DocumentRow row = {.duration_us = NULL_NEVER_US};
    if (!read_object(reader, "$", node, fields, G_N_ELEMENTS(fields), &row)) {
        return false;
    }
    if (row.leaving_us > 5 * G_USEC_PER_SEC) {
        JsonNode *value = json_object_get_member(json_node_get_object(node), "leaving_s");
        return refuse(reader, "$.leaving_s", value, "at most 5: leaving is done by then");
    }
    if (row.duration_us != NULL_NEVER_US) {
        add_step(reader, row.duration_us,
                 (NullStep){.kind = NULL_STEP_END, .left = PLATFORM_LEFT_ENDED, .n_times = 1});
    }
    reader->document->recording = (NullRecording)row.recording;
    reader->document->leaving_us = row.leaving_us;
    return true;
}

NullDocument *null_document_parse(const char *text, size_t length, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(JsonObject) object =
        media_json_parse(text, length, MAX_DEPTH, MEDIA_JSON_REFUSE_NO_TEXT, &cause);
    if (object == NULL) {
        g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_RULES, "$: the document is %s",
                    cause->message);
        return NULL;
    }
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
    g_autoptr(NullDocument) document = g_new0(NullDocument, 1);
    document->people = g_ptr_array_new_with_free_func(free_person);
    document->steps = g_array_new(FALSE, FALSE, sizeof(NullStep));
    g_array_set_clear_func(document->steps, clear_step);
    Reader reader = {.document = document, .error = error};
    if (!read_document(&reader, node)) {
        return NULL;
    }
    g_array_sort(document->steps, compare_steps);
    return g_steal_pointer(&document);
}

void null_document_free(NullDocument *document)
{
    g_clear_pointer(&document->people, g_ptr_array_unref);
    g_clear_pointer(&document->steps, g_array_unref);
    g_free(document);
}
