// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/meeting.h"

#include "tests/meeting/bot.h"
#include "tests/meeting/mix.h"

#include <math.h>

/* What happens at one time: something changes, or an event, or a chat message. */
typedef struct {
    double at_s;
    const MeetingEvent *event; /* borrowed, or NULL */
    const MeetingChat *chat;   /* borrowed, or NULL */
    bool over;                 /* the scenario's duration */
} Moment;

struct Meeting {
    MeetingScenario *scenario; /* owned */
    char *report_path;         /* owned */
    GPtrArray *sources;        /* owned, of MeetingSource */
    GPtrArray *mix;            /* owned, of the one MeetingSource that mixes them; NULL: none */
    GPtrArray *bots;           /* owned, of MeetingBot */
    GArray *moments;           /* owned, of Moment, by time */
    guint next_moment;
    guint timer;
    guint finish_timer;
    gint64 zero_us;
    gint64 started_unix_ms;
    bool ended;
    bool network_down;
    bool finished;
    guint sequence;
    void (*on_finished)(gpointer data);
    gpointer data;
};

static void source_free(gpointer data)
{
    MeetingSource *source = data;
    g_clear_pointer(&source->runs, g_ptr_array_unref);
    g_clear_pointer(&source->camera, meeting_clip_free);
    g_clear_pointer(&source->screens, g_ptr_array_unref);
    g_free(source);
}

static bool prepare(Meeting *m, const MeetingPerson *person, const char *cache, GError **error)
{
    MeetingSource *source = g_new0(MeetingSource, 1);
    g_ptr_array_add(m->sources, source);
    source->person = person;
    source->csrc = 30000 + (guint32)person->number * 37;
    source->screens = g_ptr_array_new_with_free_func((GDestroyNotify)meeting_clip_free);
    source->runs = meeting_speech_encode(person, m->scenario->duration_s, error);
    if (source->runs == NULL)
        return false;
    if (person->camera != NULL) {
        source->camera = meeting_clip_new(person->camera, (unsigned)person->number, cache, error);
        if (source->camera == NULL)
            return false;
    }
    for (guint i = 0; i < person->screens->len; i++) {
        const MeetingScreen *screen = g_ptr_array_index(person->screens, i);
        MeetingClip *clip =
            meeting_clip_new(&screen->camera, (unsigned)person->number + 128, cache, error);
        if (clip == NULL)
            return false;
        g_ptr_array_add(source->screens, clip);
    }
    return true;
}

static bool prepare_mix(Meeting *m, GError **error)
{
    MeetingSource *source = g_new0(MeetingSource, 1);
    m->mix = g_ptr_array_new_with_free_func(source_free);
    g_ptr_array_add(m->mix, source);
    source->runs = meeting_mix_encode(m->scenario, m->sources, error);
    return source->runs != NULL;
}

static void add_moment(Meeting *m, Moment moment)
{
    if (moment.at_s < G_MAXDOUBLE)
        g_array_append_val(m->moments, moment);
}

static gint by_time(gconstpointer a, gconstpointer b)
{
    const Moment *first = a, *second = b;
    return first->at_s < second->at_s ? -1 : first->at_s > second->at_s;
}

static void plan(Meeting *m)
{
    const MeetingScenario *s = m->scenario;
    for (guint i = 0; i < s->people->len; i++) {
        const MeetingPerson *person = g_ptr_array_index(s->people, i);
        add_moment(m, (Moment){.at_s = person->join_s});
        add_moment(m, (Moment){.at_s = person->leave_s});
        for (guint j = 0; j < person->screens->len; j++) {
            const MeetingScreen *screen = g_ptr_array_index(person->screens, j);
            add_moment(m, (Moment){.at_s = screen->from_s});
            add_moment(m, (Moment){.at_s = screen->to_s});
        }
    }
    for (guint i = 0; i < s->events->len; i++) {
        const MeetingEvent *event = g_ptr_array_index(s->events, i);
        add_moment(m, (Moment){.at_s = event->at_s, .event = event});
    }
    for (guint i = 0; i < s->chat->len; i++) {
        const MeetingChat *chat = g_ptr_array_index(s->chat, i);
        add_moment(m, (Moment){.at_s = chat->at_s, .chat = chat});
    }
    add_moment(m, (Moment){.at_s = s->duration_s, .over = true});
    g_array_sort(m->moments, by_time);
}

Meeting *meeting_new(MeetingScenario *scenario, const char *report_path, const char *cache_folder,
                     GError **error)
{
    Meeting *m = g_new0(Meeting, 1);
    m->scenario = scenario;
    m->report_path = g_strdup(report_path);
    m->zero_us = -1;
    m->sources = g_ptr_array_new_with_free_func(source_free);
    m->bots = g_ptr_array_new_with_free_func((GDestroyNotify)meeting_bot_free);
    m->moments = g_array_new(FALSE, FALSE, sizeof(Moment));
    for (guint i = 0; i < scenario->people->len; i++) {
        if (!prepare(m, g_ptr_array_index(scenario->people, i), cache_folder, error)) {
            meeting_free(m);
            return NULL;
        }
    }
    bool mixes =
        scenario->platform != MEETING_PLATFORM_MEET || scenario->audio != MEETING_AUDIO_RECEIVER;
    if (mixes && !prepare_mix(m, error)) {
        meeting_free(m);
        return NULL;
    }
    plan(m);
    return m;
}

void meeting_free(Meeting *m)
{
    if (m == NULL)
        return;
    m->finished = true; /* nobody wants to know any more */
    g_clear_handle_id(&m->timer, g_source_remove);
    g_clear_handle_id(&m->finish_timer, g_source_remove);
    g_ptr_array_unref(m->bots);
    g_ptr_array_unref(m->sources);
    g_clear_pointer(&m->mix, g_ptr_array_unref);
    g_array_unref(m->moments);
    meeting_scenario_free(m->scenario);
    g_free(m->report_path);
    g_free(m);
}

void meeting_set_finished_func(Meeting *m, void (*on_finished)(gpointer data), gpointer data)
{
    m->on_finished = on_finished;
    m->data = data;
}

const MeetingScenario *meeting_scenario(Meeting *m)
{
    return m->scenario;
}

const char *meeting_report_path(Meeting *m)
{
    return m->report_path;
}

GPtrArray *meeting_sources(Meeting *m)
{
    return m->sources;
}

GPtrArray *meeting_voices(Meeting *m)
{
    return m->mix != NULL ? m->mix : m->sources;
}

char *meeting_device_name(Meeting *m, int number)
{
    switch (m->scenario->platform) {
    case MEETING_PLATFORM_MEET:
        break;
    case MEETING_PLATFORM_TEAMS:
        return g_strdup_printf("8:orgid:00000000-0000-4000-8000-%012d", number);
    case MEETING_PLATFORM_ZOOM: /* the low 10 bits number a person's streams */
        return g_strdup_printf("%d", (16384 + number) << 10);
    }
    return g_strdup_printf("spaces/stenoTestMtg/devices/%d", number);
}

GPtrArray *meeting_bots(Meeting *m)
{
    return m->bots;
}

gint64 meeting_zero_us(Meeting *m)
{
    return m->zero_us;
}

double meeting_now_s(Meeting *m)
{
    return m->zero_us >= 0 ? (double)(g_get_monotonic_time() - m->zero_us) / 1e6 : -1;
}

bool meeting_network_down(Meeting *m)
{
    return m->network_down;
}

bool meeting_has_ended(Meeting *m)
{
    return m->ended;
}

MeetingBot *meeting_bot_for(Meeting *m, const char *token)
{
    for (guint i = 0; i < m->bots->len; i++) {
        MeetingBot *bot = g_ptr_array_index(m->bots, i);
        if (g_strcmp0(meeting_bot_token(bot), token) == 0 && !meeting_bot_is_gone(bot))
            return bot;
    }
    MeetingBot *bot = meeting_bot_new(m, m->bots->len + 1);
    g_ptr_array_add(m->bots, bot);
    return bot;
}

/* --- who is there --- */

static MeetingUser *new_user(const char *device, const char *name)
{
    MeetingUser *user = g_new0(MeetingUser, 1);
    user->device = g_strdup(device);
    user->name = g_strdup(name);
    user->avatar = g_strdup("https://lh3.googleusercontent.com/a/default-user");
    user->status = MEETING_USER_PRESENT;
    return user;
}

static void add_person(Meeting *m, MeetingBot *bot, const MeetingSource *source, double now_s,
                       GPtrArray *users)
{
    const MeetingPerson *person = source->person;
    g_autofree char *device = meeting_device_name(m, 100 + person->number);
    const MeetingPerson *owner = person->companion_of != NULL ? person->companion_of : person;
    MeetingUser *user = new_user(device, person->name);
    g_free(user->avatar);
    user->avatar = g_strdup_printf("https://lh3.googleusercontent.com/a/person-%d", owner->number);
    user->room = g_strdup(person->room);
    user->companion = owner != person;
    user->host = person->host;
    user->csrc = user->companion ? 0 : source->csrc;
    user->muted = meeting_person_muted(m->scenario, person, now_s);
    user->video_stream = g_strdup(meeting_bot_stream_of(bot, source, -1));
    bool drawn = m->scenario->platform == MEETING_PLATFORM_ZOOM; /* by the page itself */
    user->video_off =
        drawn ? !meeting_person_camera_on(m->scenario, person, now_s) : user->video_stream == NULL;
    /* A camera that is off keeps its entry, as disabled. */
    if (user->video_stream == NULL && source->camera != NULL)
        user->video_stream = g_strdup("");
    g_ptr_array_add(users, user);
    for (int i = 0; i < (int)person->screens->len; i++) {
        const char *stream = meeting_bot_stream_of(bot, source, i);
        if (stream == NULL)
            continue;
        g_autofree char *child = meeting_device_name(m, 1000 + 10 * person->number + i);
        MeetingUser *screen = new_user(child, person->name);
        screen->parent = g_strdup(device);
        screen->video_stream = g_strdup(stream);
        g_ptr_array_add(users, screen);
    }
}

GPtrArray *meeting_users(Meeting *m, MeetingBot *self)
{
    GPtrArray *users = g_ptr_array_new_with_free_func((GDestroyNotify)meeting_user_free);
    double now_s = meeting_now_s(m);
    for (guint i = 0; i < m->bots->len; i++) {
        MeetingBot *bot = g_ptr_array_index(m->bots, i);
        if (!meeting_bot_in_call(bot))
            continue;
        MeetingUser *user = new_user(meeting_bot_device(bot), meeting_bot_name(bot));
        user->self = bot == self;
        user->muted = true;
        g_ptr_array_add(users, user);
    }
    for (guint i = 0; i < m->sources->len; i++) {
        const MeetingSource *source = g_ptr_array_index(m->sources, i);
        if (meeting_person_present(source->person, now_s))
            add_person(m, self, source, now_s, users);
    }
    return users;
}

/* --- what happens --- */

static bool never_admits(Meeting *m)
{
    MeetingLobbyMode mode = m->scenario->lobby_mode;
    return mode == MEETING_LOBBY_DENY || mode == MEETING_LOBBY_EXPIRE ||
           mode == MEETING_LOBBY_IGNORE || mode == MEETING_LOBBY_HOST_ABSENT ||
           (m->scenario->page_variant != MEETING_PAGE_NORMAL && m->scenario->cookie == NULL);
}

static gboolean finish(gpointer data)
{
    Meeting *m = data;
    m->finish_timer = 0;
    m->finished = true;
    if (m->on_finished != NULL)
        m->on_finished(m->data);
    return G_SOURCE_REMOVE;
}

/* The meeting is over for good once its scenario is, and no page is left. */
static void check_finished(Meeting *m)
{
    bool over = m->ended || (m->zero_us < 0 && m->bots->len > 0 && never_admits(m));
    for (guint i = 0; i < m->bots->len; i++)
        over = over && !meeting_bot_is_connected(g_ptr_array_index(m->bots, i));
    if (over && !m->finished && m->finish_timer == 0)
        m->finish_timer = g_idle_add(finish, m);
}

static void for_bots_in_call(Meeting *m, MeetingAction action, const char *name)
{
    for (guint i = 0; i < m->bots->len; i++) {
        MeetingBot *bot = g_ptr_array_index(m->bots, i);
        if (meeting_bot_in_call(bot))
            meeting_bot_act(bot, action, name);
    }
}

static void end(Meeting *m)
{
    if (m->ended)
        return;
    g_message("the meeting has ended");
    m->ended = true;
    m->network_down = false;
    for_bots_in_call(m, MEETING_DO_END_MEETING, NULL);
    check_finished(m);
}

static void act(Meeting *m, const MeetingEvent *event)
{
    if (event->action == MEETING_DO_END_MEETING) {
        end(m);
    } else if (event->action == MEETING_DO_DROP_NETWORK) {
        g_message("the network is down");
        m->network_down = true;
        for (guint i = 0; i < m->bots->len; i++)
            meeting_bot_drop_network(g_ptr_array_index(m->bots, i));
    } else if (event->action == MEETING_DO_RESTORE_NETWORK) {
        g_message("the network is back");
        m->network_down = false;
    } else if (event->action == MEETING_DO_ADMIT_BOT) {
        for (guint i = 0; i < m->bots->len; i++)
            meeting_bot_admit_again(g_ptr_array_index(m->bots, i));
    } else {
        for_bots_in_call(m, event->action, event->name);
    }
}

static void say(Meeting *m, const MeetingChat *chat)
{
    g_autofree char *id = g_strdup_printf("messages/%u", ++m->sequence);
    g_autofree char *device = meeting_device_name(m, 100 + chat->from->number);
    MeetingChatMessage message = {id, device, g_get_real_time(), chat->text};
    for (guint i = 0; i < m->bots->len; i++) {
        MeetingBot *bot = g_ptr_array_index(m->bots, i);
        if (meeting_bot_in_call(bot))
            meeting_bot_chat(bot, &message, chat->from->name);
    }
}

static void schedule(Meeting *m);

static gboolean on_moment(gpointer data)
{
    Meeting *m = data;
    m->timer = 0;
    while (m->next_moment < m->moments->len && !m->ended) {
        const Moment *moment = &g_array_index(m->moments, Moment, m->next_moment);
        if (moment->at_s > meeting_now_s(m))
            break;
        m->next_moment++;
        if (moment->event != NULL)
            act(m, moment->event);
        if (moment->chat != NULL)
            say(m, moment->chat);
        if (moment->over)
            end(m);
    }
    meeting_note_change(m);
    schedule(m);
    return G_SOURCE_REMOVE;
}

static void schedule(Meeting *m)
{
    if (m->next_moment >= m->moments->len || m->ended)
        return;
    double wait_s = g_array_index(m->moments, Moment, m->next_moment).at_s - meeting_now_s(m);
    /* Rounded up: a moment must have come when its timer fires. */
    m->timer = g_timeout_add((guint)MAX(0, ceil(wait_s * 1000)), on_moment, m);
}

void meeting_note_admission(Meeting *m)
{
    if (m->zero_us >= 0)
        return;
    m->zero_us = g_get_monotonic_time();
    m->started_unix_ms = g_get_real_time() / 1000;
    schedule(m);
}

void meeting_note_change(Meeting *m)
{
    if (m->finished)
        return;
    for (guint i = 0; i < m->bots->len; i++)
        meeting_bot_update(g_ptr_array_index(m->bots, i));
    check_finished(m);
}

/* --- report --- */

static void report_speech(Meeting *m, JsonBuilder *b)
{
    json_builder_set_member_name(b, "speech");
    json_builder_begin_array(b);
    for (guint i = 0; i < m->sources->len; i++) {
        const MeetingSource *source = g_ptr_array_index(m->sources, i);
        for (guint j = 0; j < source->runs->len; j++) {
            const MeetingRun *run = g_ptr_array_index(source->runs, j);
            json_builder_begin_object(b);
            json_builder_set_member_name(b, "person");
            json_builder_add_string_value(b, source->person->id);
            json_builder_set_member_name(b, "start_s");
            json_builder_add_double_value(b, (double)run->sound_us / 1e6);
            json_builder_set_member_name(b, "end_s");
            json_builder_add_double_value(b, (double)run->sound_end_us / 1e6);
            json_builder_set_member_name(b, "segments");
            json_builder_begin_array(b);
            for (guint k = 0; k < run->segments->len; k += 2) {
                json_builder_begin_array(b);
                json_builder_add_double_value(b, (double)g_array_index(run->segments, gint64, k) /
                                                     1e6);
                json_builder_add_double_value(
                    b, (double)g_array_index(run->segments, gint64, k + 1) / 1e6);
                json_builder_end_array(b);
            }
            json_builder_end_array(b);
            json_builder_end_object(b);
        }
    }
    json_builder_end_array(b);
}

static void report_people(Meeting *m, JsonBuilder *b)
{
    json_builder_set_member_name(b, "participants");
    json_builder_begin_array(b);
    for (guint i = 0; i < m->sources->len; i++) {
        const MeetingSource *source = g_ptr_array_index(m->sources, i);
        json_builder_begin_object(b);
        json_builder_set_member_name(b, "id");
        json_builder_add_string_value(b, source->person->id);
        json_builder_set_member_name(b, "name");
        json_builder_add_string_value(b, source->person->name);
        json_builder_set_member_name(b, "number");
        json_builder_add_int_value(b, source->person->number);
        json_builder_set_member_name(b, "csrc");
        json_builder_add_int_value(b, source->csrc);
        json_builder_set_member_name(b, "phase_s");
        json_builder_add_double_value(
            b, source->camera != NULL ? (double)source->camera->phase_us / 1e6 : 0);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

bool meeting_write_report(Meeting *m, GError **error)
{
    if (m->report_path == NULL)
        return true;
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "started_unix_ms");
    json_builder_add_int_value(b, m->started_unix_ms);
    report_people(m, b);
    report_speech(m, b);
    json_builder_set_member_name(b, "bots");
    json_builder_begin_array(b);
    for (guint i = 0; i < m->bots->len; i++)
        meeting_bot_report(g_ptr_array_index(m->bots, i), b);
    json_builder_end_array(b);
    json_builder_end_object(b);
    g_autoptr(JsonNode) root = json_builder_get_root(b);
    g_autofree char *json = json_to_string(root, TRUE);
    return g_file_set_contents(m->report_path, json, -1, error);
}
