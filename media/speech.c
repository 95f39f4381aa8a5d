/* SPDX-License-Identifier: Apache-2.0 */
#include "media/speech.h"

#include "media/vad.h"

#define FORGET_NS INT64_C(60000000000)

typedef struct {
    uint32_t source;
    MediaVad vad;
} Voice;

struct MediaSpeechTracker {
    GArray *voices; /* of Voice */
    MediaSpeechFunc on_speech;
    gpointer user_data;
};

MediaSpeechTracker *media_speech_tracker_new(MediaSpeechFunc on_speech, gpointer user_data)
{
    MediaSpeechTracker *tracker = g_new0(MediaSpeechTracker, 1);
    tracker->voices = g_array_new(FALSE, TRUE, sizeof(Voice));
    tracker->on_speech = on_speech;
    tracker->user_data = user_data;
    return tracker;
}

void media_speech_tracker_free(MediaSpeechTracker *tracker)
{
    g_array_unref(tracker->voices);
    g_free(tracker);
}

static Voice *find_or_add(MediaSpeechTracker *tracker, uint32_t source)
{
    for (guint i = 0; i < tracker->voices->len; i++) {
        Voice *voice = &g_array_index(tracker->voices, Voice, i);
        if (voice->source == source) {
            return voice;
        }
    }
    Voice added = {.source = source};
    media_vad_init(&added.vad);
    g_array_append_val(tracker->voices, added);
    return &g_array_index(tracker->voices, Voice, tracker->voices->len - 1);
}

static void report(MediaSpeechTracker *tracker, const Voice *voice, MediaVadEvent event)
{
    if (event != MEDIA_VAD_NOTHING) {
        tracker->on_speech(voice->source, event == MEDIA_VAD_START, voice->vad.at_ns,
                           tracker->user_data);
    }
}

bool media_speech_tracker_feed(MediaSpeechTracker *tracker, uint32_t source, int64_t at_ns,
                               int64_t duration_ns, double level_db)
{
    Voice *voice = find_or_add(tracker, source);
    report(tracker, voice, media_vad_feed(&voice->vad, at_ns, duration_ns, level_db));
    return voice->vad.speaking;
}

void media_speech_tracker_elapse(MediaSpeechTracker *tracker, int64_t now_ns)
{
    for (guint i = tracker->voices->len; i-- > 0;) {
        Voice *voice = &g_array_index(tracker->voices, Voice, i);
        report(tracker, voice, media_vad_elapse(&voice->vad, now_ns));
        if (!voice->vad.speaking && now_ns - voice->vad.last_fed_ns > FORGET_NS) {
            g_array_remove_index_fast(tracker->voices, i);
        }
    }
}

bool media_speech_tracker_any(const MediaSpeechTracker *tracker)
{
    for (guint i = 0; i < tracker->voices->len; i++) {
        if (g_array_index(tracker->voices, Voice, i).vad.speaking) {
            return true;
        }
    }
    return false;
}
