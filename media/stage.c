/* SPDX-License-Identifier: Apache-2.0 */
#include "media/stage.h"

#include "media/video_track.h"

#define MAX_TRACKS 256

typedef struct {
    uint32_t id;
    char *name; /* owned */
    bool present, muted, speaking;
} Participant;

typedef struct {
    MediaVideoTrack *video; /* owned */
    uint32_t participant_id;
    bool bound, is_screen, active;
    bool shown;
} Camera;

struct MediaStage {
    MediaMode mode;
    GPtrArray *participants; /* owned Participant, in order of appearance */
    GPtrArray *cameras;      /* owned Camera */
    uint32_t speaker;
    bool changed;
    int64_t changed_ns; /* capture time of the newest picture shown */
    uint64_t n_lost;    /* of tracks that are gone */
};

static void participant_free(gpointer data)
{
    Participant *participant = data;
    g_free(participant->name);
    g_free(participant);
}

static void camera_free(gpointer data)
{
    Camera *camera = data;
    media_video_track_free(camera->video);
    g_free(camera);
}

MediaStage *media_stage_new(MediaMode mode)
{
    MediaStage *stage = g_new0(MediaStage, 1);
    stage->mode = mode;
    stage->participants = g_ptr_array_new_with_free_func(participant_free);
    stage->cameras = g_ptr_array_new_with_free_func(camera_free);
    stage->changed = true;
    return stage;
}

void media_stage_free(MediaStage *stage)
{
    g_ptr_array_unref(stage->participants);
    g_ptr_array_unref(stage->cameras);
    g_free(stage);
}

static Participant *find_participant(const MediaStage *stage, uint32_t id)
{
    for (guint i = 0; i < stage->participants->len; i++) {
        Participant *participant = g_ptr_array_index(stage->participants, i);
        if (participant->id == id) {
            return participant;
        }
    }
    return NULL;
}

static Camera *find_camera(const MediaStage *stage, uint32_t track_id)
{
    for (guint i = 0; i < stage->cameras->len; i++) {
        Camera *camera = g_ptr_array_index(stage->cameras, i);
        if (media_video_track_id(camera->video) == track_id) {
            return camera;
        }
    }
    return NULL;
}

static Camera *find_or_add_camera(MediaStage *stage, uint32_t track_id)
{
    Camera *camera = find_camera(stage, track_id);
    if (camera == NULL && stage->cameras->len < MAX_TRACKS) {
        camera = g_new0(Camera, 1);
        camera->video = media_video_track_new(track_id);
        g_ptr_array_add(stage->cameras, camera);
    }
    return camera;
}

/* The camera that shows @participant_id, or their screen; NULL: none with a picture to come. */
static Camera *camera_of(const MediaStage *stage, uint32_t participant_id, bool is_screen)
{
    for (guint i = stage->cameras->len; i-- > 0;) {
        Camera *camera = g_ptr_array_index(stage->cameras, i);
        if (camera->bound && camera->active && camera->is_screen == is_screen &&
            (participant_id == 0 || camera->participant_id == participant_id)) {
            return camera;
        }
    }
    return NULL;
}

void media_stage_push(MediaStage *stage, MediaEncodedFrame *frame)
{
    Camera *camera = find_or_add_camera(stage, frame->track_id);
    if (camera != NULL) {
        media_video_track_push(camera->video, frame);
    }
}

void media_stage_end_track(MediaStage *stage, uint32_t track_id)
{
    Camera *camera = find_camera(stage, track_id);
    if (camera != NULL) {
        stage->changed |= camera->shown;
        stage->n_lost += media_video_track_n_lost(camera->video);
        g_ptr_array_remove(stage->cameras, camera);
    }
}

void media_stage_set_participant(MediaStage *stage, uint32_t participant_id, const char *name,
                                 bool present, bool muted)
{
    Participant *participant = find_participant(stage, participant_id);
    if (participant == NULL) {
        participant = g_new0(Participant, 1);
        participant->id = participant_id;
        g_ptr_array_add(stage->participants, participant);
    }
    if (g_strcmp0(participant->name, name) == 0 && participant->present == present &&
        participant->muted == muted) {
        return;
    }
    g_free(participant->name);
    participant->name = g_utf8_make_valid(name != NULL ? name : "", -1);
    participant->present = present;
    participant->muted = muted;
    stage->changed = true;
}

void media_stage_bind(MediaStage *stage, uint32_t track_id, uint32_t participant_id, bool is_screen,
                      bool active)
{
    Camera *camera = find_or_add_camera(stage, track_id);
    if (camera == NULL) {
        return;
    }
    if (camera->bound &&
        (camera->participant_id != participant_id || (camera->active && !active))) {
        media_video_track_clear(camera->video); /* nobody sees one person under another's name */
    }
    stage->changed |= !camera->bound || camera->participant_id != participant_id ||
                      camera->active != active || camera->is_screen != is_screen;
    camera->bound = true;
    camera->participant_id = participant_id;
    camera->is_screen = is_screen;
    camera->active = active;
}

bool media_stage_is_bound(const MediaStage *stage, uint32_t track_id)
{
    const Camera *camera = find_camera(stage, track_id);
    return camera != NULL && camera->bound;
}

void media_stage_set_speaker(MediaStage *stage, uint32_t participant_id)
{
    stage->changed |= stage->speaker != participant_id;
    stage->speaker = participant_id;
}

void media_stage_set_speaking(MediaStage *stage, uint32_t participant_id, bool speaking)
{
    Participant *participant = find_participant(stage, participant_id);
    if (participant != NULL && participant->speaking != speaking) {
        participant->speaking = speaking;
        stage->changed |= stage->mode == MEDIA_MODE_GALLERY_VIEW;
    }
}

/* Who fills the picture: the speaker, or while that is nobody who is here, the first with a camera,
 * or anybody. */
static const Participant *main_participant(const MediaStage *stage)
{
    const Participant *speaker = find_participant(stage, stage->speaker);
    if (speaker != NULL && speaker->present) {
        return speaker;
    }
    const Participant *anybody = NULL;
    for (guint i = 0; i < stage->participants->len; i++) {
        const Participant *participant = g_ptr_array_index(stage->participants, i);
        if (!participant->present) {
            continue;
        }
        if (camera_of(stage, participant->id, false) != NULL) {
            return participant;
        }
        anybody = anybody != NULL ? anybody : participant;
    }
    return anybody;
}

typedef struct {
    const Participant *participant; /* NULL: nobody */
    Camera *camera;                 /* NULL: a card */
} Slot;

/* What the view consists of now, main part first. */
static int choose_slots(const MediaStage *stage, Slot slots[MEDIA_LAYOUT_MAX_TILES])
{
    Camera *screen = camera_of(stage, 0, true);
    const Participant *main = main_participant(stage);
    int n = 0;
    if (screen != NULL) {
        slots[n++] = (Slot){find_participant(stage, screen->participant_id), screen};
    }
    if (stage->mode == MEDIA_MODE_GALLERY_VIEW && screen == NULL) {
        for (guint i = 0; i < stage->participants->len && n < MEDIA_LAYOUT_MAX_TILES; i++) {
            const Participant *participant = g_ptr_array_index(stage->participants, i);
            if (participant->present) {
                slots[n++] = (Slot){participant, camera_of(stage, participant->id, false)};
            }
        }
    } else if (main != NULL) {
        slots[n++] = (Slot){main, camera_of(stage, main->id, false)};
    }
    return n;
}

static void mark_shown(MediaStage *stage)
{
    Slot slots[MEDIA_LAYOUT_MAX_TILES];
    int n = choose_slots(stage, slots);
    for (guint i = 0; i < stage->cameras->len; i++) {
        Camera *camera = g_ptr_array_index(stage->cameras, i);
        camera->shown = false;
        for (int k = 0; k < n; k++) {
            camera->shown |= slots[k].camera == camera;
        }
    }
}

bool media_stage_advance(MediaStage *stage, int64_t to_ns, int64_t *ret_time_ns)
{
    mark_shown(stage);
    for (guint i = 0; i < stage->cameras->len; i++) {
        Camera *camera = g_ptr_array_index(stage->cameras, i);
        while (media_video_track_advance(camera->video, to_ns, camera->shown)) {
            stage->changed = true;
            stage->changed_ns =
                MAX(stage->changed_ns, media_video_track_picture(camera->video)->time_ns);
        }
    }
    *ret_time_ns = stage->changed_ns;
    return stage->changed;
}

static MediaTile tile_for(const Slot *slot, MediaRect rect, bool speaking)
{
    MediaPicture *picture =
        slot->camera != NULL ? media_video_track_picture(slot->camera->video) : NULL;
    return (MediaTile){
        .rect = rect,
        .picture = picture,
        .name = slot->participant != NULL ? slot->participant->name : NULL,
        .label = true,
        .speaking = speaking,
    };
}

GstBuffer *media_stage_compose(MediaStage *stage, MediaComposer *composer)
{
    Slot slots[MEDIA_LAYOUT_MAX_TILES];
    MediaTile tiles[MEDIA_LAYOUT_MAX_TILES];
    MediaRect rects[MEDIA_LAYOUT_MAX_TILES];
    int width = GST_VIDEO_INFO_WIDTH(media_composer_info(composer));
    int height = GST_VIDEO_INFO_HEIGHT(media_composer_info(composer));
    int n = choose_slots(stage, slots);
    bool grid = stage->mode == MEDIA_MODE_GALLERY_VIEW && n > 1 &&
                !(slots[0].camera != NULL && slots[0].camera->is_screen);
    if (grid) {
        media_layout_grid(width, height, n, rects);
    } else {
        rects[0] = (MediaRect){0, 0, width, height};
        rects[1] = media_layout_inset(width, height);
    }
    for (int i = 0; i < n; i++) {
        bool border = grid && slots[i].participant != NULL && slots[i].participant->speaking;
        tiles[i] = tile_for(&slots[i], rects[i], border);
    }
    if (n == 0) {
        Slot nobody = {NULL, NULL};
        tiles[n++] = tile_for(&nobody, rects[0], false);
    }
    stage->changed = false;
    return media_composer_compose(composer, tiles, (size_t)n);
}

bool media_stage_get_largest(const MediaStage *stage, int *ret_width, int *ret_height)
{
    int best = 0;
    for (guint i = 0; i < stage->cameras->len; i++) {
        const Camera *camera = g_ptr_array_index(stage->cameras, i);
        int width, height;
        media_video_track_get_size(camera->video, &width, &height);
        if (width * height > best) {
            best = width * height;
            *ret_width = width;
            *ret_height = height;
        }
    }
    return best > 0;
}

uint64_t media_stage_n_lost(const MediaStage *stage)
{
    uint64_t n = stage->n_lost;
    for (guint i = 0; i < stage->cameras->len; i++) {
        n += media_video_track_n_lost(((Camera *)g_ptr_array_index(stage->cameras, i))->video);
    }
    return n;
}
