/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/voices.h"

/* A platform may take so long to say whose a new source is. */
#define NUMBERED_AFTER_US (2 * G_USEC_PER_SEC)
/* A voice heard for less than this in total predates the platform's first word on who speaks. */
#define NUMBERED_HEARD_US (1 * G_USEC_PER_SEC)
/* A page may name any number of sources; those that were silent longest are forgotten. */
#define MAX_VOICES 4096

typedef struct {
    uint32_t person_id; /* 0: nobody is named for it */
    bool speaking;
    bool own;               /* the bot's own voice, come back */
    int64_t first_heard_us; /* -1: never */
    int64_t last_heard_us;  /* up to now while speaking */
    int64_t heard_us;       /* for how long, without the word under way */
    int64_t since_us;       /* when that began; only while speaking */
    int64_t since_recording_ns;
} Voice;

struct BotVoices {
    BotRoster *roster; /* borrowed */
    BotVoicesEvents events;
    gpointer user_data;
    GHashTable *table; /* source -> owned Voice */
};

BotVoices *bot_voices_new(BotRoster *roster, const BotVoicesEvents *events, gpointer user_data)
{
    BotVoices *voices = g_new0(BotVoices, 1);
    voices->roster = roster;
    voices->events = *events;
    voices->user_data = user_data;
    voices->table = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return voices;
}

void bot_voices_free(BotVoices *voices)
{
    g_hash_table_unref(voices->table);
    g_free(voices);
}

/* Room for one more: the voice that was silent longest goes. */
static void forget_one(BotVoices *voices)
{
    GHashTableIter iter;
    gpointer key, value, oldest = NULL;
    int64_t oldest_us = INT64_MAX;
    g_hash_table_iter_init(&iter, voices->table);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const Voice *voice = value;
        if (!voice->speaking && voice->last_heard_us < oldest_us) {
            oldest_us = voice->last_heard_us;
            oldest = key;
        }
    }
    g_hash_table_remove(voices->table, oldest);
}

static Voice *get_voice(BotVoices *voices, uint32_t source)
{
    Voice *voice = g_hash_table_lookup(voices->table, GUINT_TO_POINTER(source));
    if (voice == NULL) {
        if (g_hash_table_size(voices->table) >= MAX_VOICES) {
            forget_one(voices);
        }
        voice = g_new0(Voice, 1);
        voice->first_heard_us = -1;
        voice->since_recording_ns = -1;
        g_hash_table_insert(voices->table, GUINT_TO_POINTER(source), voice);
    }
    return voice;
}

/* One person may be heard on more than one source for a moment (a hop between receivers). */
static bool speaks_anywhere(BotVoices *voices, uint32_t person_id)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, voices->table);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Voice *voice = value;
        if (voice->person_id == person_id && voice->speaking) {
            return true;
        }
    }
    return false;
}

static void update_speaking(BotVoices *voices, uint32_t person_id, int64_t recording_ns)
{
    BotPerson *person = bot_roster_get(voices->roster, person_id);
    bool speaking = person != NULL && speaks_anywhere(voices, person_id);
    if (person != NULL && person->speaking != speaking) {
        person->speaking = speaking;
        voices->events.on_speaking(person_id, speaking, recording_ns, voices->user_data);
    }
}

static void set_present(BotVoices *voices, BotPerson *person, bool present, int64_t since_us)
{
    if (person->present != present) {
        person->present = present;
        person->left_us = present ? -1 : since_us;
        voices->events.on_numbered(person, voices->user_data);
    }
}

void bot_voices_bind(BotVoices *voices, uint32_t source, uint32_t person_id, BotMoment now)
{
    Voice *voice = get_voice(voices, source);
    uint32_t old_id = voice->person_id;
    if (old_id == person_id) {
        return;
    }
    voice->person_id = person_id;
    voices->events.on_bound(source, person_id, voices->user_data);
    update_speaking(voices, old_id, now.recording_ns);
    BotPerson *old = bot_roster_get(voices->roster, old_id);
    if (old != NULL && old->platform_id == NULL) {
        set_present(voices, old, false, now.us); /* the number has a name now */
    }
    update_speaking(voices, person_id, old_id == 0 ? voice->since_recording_ns : now.recording_ns);
}

void bot_voices_ignore(BotVoices *voices, uint32_t source, BotMoment now)
{
    Voice *voice = get_voice(voices, source);
    if (!voice->own) {
        uint32_t old_id = voice->person_id;
        voice->own = true;
        voice->speaking = false;
        voice->person_id = 0;
        voices->events.on_own(source, voices->user_data);
        update_speaking(voices, old_id, now.recording_ns);
    }
}

void bot_voices_take_speech(BotVoices *voices, const MediaSpeech *speech, int64_t now_us)
{
    Voice *voice = get_voice(voices, speech->source);
    if (voice->own) {
        return;
    }
    if (voice->speaking && !speech->speaking) {
        voice->heard_us += now_us - voice->since_us;
    } else if (!voice->speaking && speech->speaking) {
        voice->since_us = now_us;
        voice->since_recording_ns = speech->recording_ns;
    }
    voice->speaking = speech->speaking;
    voice->last_heard_us = now_us;
    if (voice->first_heard_us < 0) {
        voice->first_heard_us = now_us;
    }
    if (voice->person_id == 0 && speech->participant_id != 0) {
        voice->person_id = speech->participant_id;
    }
    BotPerson *person = bot_roster_get(voices->roster, voice->person_id);
    if (person != NULL && person->platform_id == NULL && speech->speaking) {
        set_present(voices, person, true, now_us);
    }
    update_speaking(voices, voice->person_id, speech->recording_ns);
}

static bool deserves_a_number(const Voice *voice, int64_t now_us)
{
    int64_t heard_us = voice->heard_us + (voice->speaking ? now_us - voice->since_us : 0);
    return voice->person_id == 0 && !voice->own && voice->first_heard_us >= 0 &&
           now_us - voice->first_heard_us > NUMBERED_AFTER_US && heard_us >= NUMBERED_HEARD_US;
}

static void number_voice(BotVoices *voices, uint32_t source, Voice *voice, BotMoment now)
{
    BotPerson *person = bot_roster_add_unnamed(voices->roster, now.us);
    voice->person_id = person->id;
    voices->events.on_bound(source, person->id, voices->user_data);
    voices->events.on_numbered(person, voices->user_data);
    update_speaking(voices, person->id, voice->since_recording_ns);
}

void bot_voices_check(BotVoices *voices, BotMoment now)
{
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, voices->table);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        Voice *voice = value;
        if (deserves_a_number(voice, now.us)) {
            number_voice(voices, GPOINTER_TO_UINT(key), voice, now);
        }
        if (voice->speaking) {
            voice->last_heard_us = now.us;
        }
        BotPerson *person = bot_roster_get(voices->roster, voice->person_id);
        if (person != NULL && person->platform_id == NULL && person->present &&
            now.us - voice->last_heard_us >= BOT_VOICES_LINGER_US) {
            set_present(voices, person, false, voice->last_heard_us);
        }
    }
}

bool bot_voices_any_speaks(const BotVoices *voices)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, voices->table);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (((const Voice *)value)->speaking) {
            return true;
        }
    }
    return false;
}

void bot_voices_reset(BotVoices *voices, BotMoment now)
{
    g_autoptr(GHashTable) former = g_steal_pointer(&voices->table);
    voices->table = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, former);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const Voice *voice = value;
        BotPerson *person = bot_roster_get(voices->roster, voice->person_id);
        if (person == NULL) {
            continue;
        }
        voices->events.on_bound(GPOINTER_TO_UINT(key), 0, voices->user_data);
        update_speaking(voices, person->id, now.recording_ns);
        if (person->platform_id == NULL) {
            set_present(voices, person, false, now.us);
        }
    }
}
