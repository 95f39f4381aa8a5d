/* SPDX-License-Identifier: Apache-2.0 */
#include "media/stage.h"

#include "media/motion.h"
#include "media/video_track.h"

#define MAX_TRACKS 256
/* How long a speaker may be waited for who has a camera on and no picture yet. */
#define HANDOVER_NS INT64_C(1000000000)
/* When the participant who fills the picture leaves, the last picture stays so long, unless
 * somebody speaks: when everybody leaves at once, no other face flashes up before the recording
 * ends. */
#define FAREWELL_NS INT64_C(1000000000)
/* A key frame that was asked for is waited for so long: it takes a round trip, and is seen late. */
#define KEY_FRAME_AGAIN_NS INT64_C(1000000000)
#define SCREEN_KEY (UINT64_C(1) << 32)
#define PAGE_KEY (UINT64_C(1) << 33)

typedef struct {
    uint32_t id;
    uint32_t room_id; /* as whom they are heard; 0: themselves */
    char *name;       /* owned */
    bool muted, speaking;
} Participant; /* who is here */

typedef struct {
    MediaVideoTrack *video; /* owned */
    uint32_t participant_id;
    bool bound, is_screen, active;
    bool superseded; /* its owner's picture comes on another track now */
    bool shown;
    int64_t asked_ns; /* for a key frame; 0: never */
} Camera;

struct MediaStage {
    MediaMode mode;
    GPtrArray *participants; /* owned Participant, in order of appearance */
    GPtrArray *cameras;      /* owned Camera */
    bool has_rooms;          /* or had */
    uint32_t speaker;
    uint32_t main_id;   /* who fills the picture of a speaker_view; 0: nobody */
    uint32_t wanted_id; /* who is to, since: */
    int64_t wanted_ns;
    MediaMotion motion;
    bool farewell; /* the last picture stays for now */
    bool changed, moving;
    int64_t changed_ns; /* capture time of the newest picture shown */
    uint64_t n_lost;    /* of tracks that are gone */
    MediaKeyFrameFunc on_key_frame_wanted;
    gpointer user_data;
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

void media_stage_set_key_frame_func(MediaStage *stage, MediaKeyFrameFunc func, gpointer user_data)
{
    stage->on_key_frame_wanted = func;
    stage->user_data = user_data;
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

static bool shows(const Camera *camera, uint32_t participant_id, bool is_screen)
{
    return camera->bound && camera->active && camera->is_screen == is_screen &&
           (participant_id == 0 || camera->participant_id == participant_id);
}

/* The camera that shows @participant_id, or their screen (0: anybody's); NULL: none with a picture
 * to come. While the track that it moved to has none yet, the one before stands in. */
static Camera *camera_of(const MediaStage *stage, uint32_t participant_id, bool is_screen)
{
    Camera *present = NULL;
    for (guint i = stage->cameras->len; i-- > 0 && present == NULL;) {
        Camera *camera = g_ptr_array_index(stage->cameras, i);
        present = shows(camera, participant_id, is_screen) && !camera->superseded ? camera : NULL;
    }
    if (present == NULL || media_video_track_can_show(present->video)) {
        return present;
    }
    for (guint i = stage->cameras->len; i-- > 0;) {
        Camera *camera = g_ptr_array_index(stage->cameras, i);
        if (camera->superseded && shows(camera, present->participant_id, is_screen) &&
            media_video_track_picture(camera->video) != NULL) {
            return camera;
        }
    }
    return present;
}

static bool is_in_room(const Participant *participant, uint32_t room_id)
{
    return room_id != 0 && participant->room_id == room_id;
}

static bool is_room(const MediaStage *stage, const Participant *participant)
{
    for (guint i = 0; i < stage->participants->len && stage->has_rooms; i++) {
        if (is_in_room(g_ptr_array_index(stage->participants, i), participant->id)) {
            return true;
        }
    }
    return false;
}

/* The camera that stands for @participant_id: of a room, the first of its members' with one. */
static Camera *own_camera_of(const MediaStage *stage, uint32_t participant_id)
{
    Camera *camera = participant_id != 0 ? camera_of(stage, participant_id, false) : NULL;
    for (guint i = 0; i < stage->participants->len && stage->has_rooms && camera == NULL; i++) {
        const Participant *member = g_ptr_array_index(stage->participants, i);
        camera = is_in_room(member, participant_id) ? camera_of(stage, member->id, false) : NULL;
    }
    return camera;
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

void media_stage_end_all_tracks(MediaStage *stage)
{
    while (stage->cameras->len > 0) {
        const Camera *camera = g_ptr_array_index(stage->cameras, stage->cameras->len - 1);
        media_stage_end_track(stage, media_video_track_id(camera->video));
    }
}

void media_stage_set_participant(MediaStage *stage, uint32_t participant_id, const char *name,
                                 bool present, bool muted)
{
    Participant *participant = find_participant(stage, participant_id);
    if (!present) {
        stage->changed |= participant != NULL;
        g_ptr_array_remove(stage->participants, participant);
        return;
    }
    if (participant == NULL) {
        participant = g_new0(Participant, 1);
        participant->id = participant_id;
        g_ptr_array_add(stage->participants, participant);
    }
    if (g_strcmp0(participant->name, name) == 0 && participant->muted == muted) {
        return;
    }
    g_free(participant->name);
    participant->name = g_utf8_make_valid(name != NULL ? name : "", -1);
    participant->muted = muted;
    stage->changed = true;
}

void media_stage_set_room(MediaStage *stage, uint32_t participant_id, uint32_t room_id)
{
    Participant *participant = find_participant(stage, participant_id);
    if (participant != NULL && participant->room_id != room_id) {
        participant->room_id = room_id;
        stage->has_rooms |= room_id != 0;
        stage->changed = true;
    }
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
    for (guint i = 0; active && i < stage->cameras->len; i++) {
        Camera *other = g_ptr_array_index(stage->cameras, i);
        other->superseded |= shows(other, participant_id, is_screen);
    }
    camera->bound = true;
    camera->participant_id = participant_id;
    camera->is_screen = is_screen;
    camera->active = active;
    camera->superseded = false;
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

/* Who is to fill the picture: the speaker, or while that is nobody who is here, the first with a
 * camera, or anybody. */
static const Participant *wanted_participant(const MediaStage *stage)
{
    const Participant *speaker = find_participant(stage, stage->speaker);
    if (speaker != NULL) {
        return speaker;
    }
    const Participant *anybody = NULL;
    for (guint i = 0; i < stage->participants->len; i++) {
        const Participant *participant = g_ptr_array_index(stage->participants, i);
        if (is_room(stage, participant)) {
            continue;
        }
        if (camera_of(stage, participant->id, false) != NULL) {
            return participant;
        }
        anybody = anybody != NULL ? anybody : participant;
    }
    return anybody;
}

/* A new speaker whose camera has not got a picture here yet would be a black one or a card for a
 * moment: the one before stays that long. */
static bool is_worth_waiting(const MediaStage *stage, const Participant *wanted, int64_t now_ns)
{
    const Participant *shown = find_participant(stage, stage->main_id);
    const Camera *camera = own_camera_of(stage, wanted->id);
    const Camera *before = own_camera_of(stage, stage->main_id);
    return shown != NULL && camera != NULL && !media_video_track_can_show(camera->video) &&
           before != NULL && media_video_track_picture(before->video) != NULL &&
           now_ns - stage->wanted_ns < HANDOVER_NS;
}

/* Whoever fills the picture of a speaker_view has left, and @wanted comes next without a word. */
static bool is_farewell(const MediaStage *stage, const Participant *wanted, int64_t now_ns)
{
    bool left = stage->main_id != 0 && find_participant(stage, stage->main_id) == NULL;
    bool speaks = wanted != NULL && wanted->id == stage->speaker;
    return stage->mode == MEDIA_MODE_SPEAKER_VIEW && left && !speaks &&
           now_ns - stage->wanted_ns < FAREWELL_NS;
}

static void follow_speaker(MediaStage *stage, int64_t now_ns)
{
    const Participant *wanted = wanted_participant(stage);
    uint32_t id = wanted != NULL ? wanted->id : 0;
    if (id != stage->wanted_id) {
        stage->wanted_id = id;
        stage->wanted_ns = now_ns;
    }
    stage->farewell = is_farewell(stage, wanted, now_ns);
    if (stage->farewell) {
        return;
    }
    if (id != stage->main_id && (wanted == NULL || !is_worth_waiting(stage, wanted, now_ns))) {
        stage->main_id = id;
        stage->changed = true;
    }
}

typedef struct {
    const Participant *participant; /* NULL: nobody */
    Camera *camera;                 /* NULL: a card */
} Slot;

/* How much somebody who is here is to be seen when there is no space for all; -1: not at all. */
static int rank_of(const MediaStage *stage, const Participant *participant)
{
    if (is_room(stage, participant)) {
        return -1;
    }
    if (participant->id == stage->speaker || is_in_room(participant, stage->speaker)) {
        return 2;
    }
    return camera_of(stage, participant->id, false) != NULL ? 1 : 0;
}

/* Everybody in the order in which they came; when there are more than @most, the speaker and those
 * with a camera before the others. */
static int choose_people(const MediaStage *stage, int most, Slot *slots)
{
    int space[3] = {0}; /* by rank */
    for (guint i = 0; i < stage->participants->len; i++) {
        int rank = rank_of(stage, g_ptr_array_index(stage->participants, i));
        if (rank >= 0) {
            space[rank]++;
        }
    }
    space[2] = MIN(space[2], most);
    space[1] = MIN(space[1], most - space[2]);
    space[0] = MIN(space[0], most - space[2] - space[1]);
    int n = 0;
    for (guint i = 0; i < stage->participants->len; i++) {
        const Participant *participant = g_ptr_array_index(stage->participants, i);
        int rank = rank_of(stage, participant);
        if (rank >= 0 && space[rank]-- > 0) {
            slots[n++] = (Slot){participant, camera_of(stage, participant->id, false)};
        }
    }
    return n;
}

/* The page's own picture stands for everything else, once there is one. */
static Camera *page_of(const MediaStage *stage)
{
    Camera *page = find_camera(stage, MEDIA_PAGE_TRACK);
    return page != NULL && media_video_track_can_show(page->video) ? page : NULL;
}

/* What the view consists of now, main part first. */
static int choose_slots(const MediaStage *stage, Slot slots[MEDIA_LAYOUT_MAX_TILES])
{
    Camera *page = page_of(stage);
    if (page != NULL) {
        slots[0] = (Slot){NULL, page};
        return 1;
    }
    Camera *screen = camera_of(stage, 0, true);
    int n = 0;
    if (screen != NULL) {
        slots[n++] = (Slot){find_participant(stage, screen->participant_id), screen};
    }
    if (stage->mode == MEDIA_MODE_GALLERY_VIEW) {
        int most = screen != NULL ? MEDIA_LAYOUT_MAX_STRIP : MEDIA_LAYOUT_MAX_TILES;
        return n + choose_people(stage, most, slots + n);
    }
    const Participant *main = find_participant(stage, stage->main_id);
    if (main != NULL) {
        slots[n++] = (Slot){main, own_camera_of(stage, main->id)};
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

static void ask_for_key_frame(MediaStage *stage, Camera *camera, int64_t now_ns)
{
    bool asked = camera->asked_ns != 0 && now_ns - camera->asked_ns < KEY_FRAME_AGAIN_NS;
    if (stage->on_key_frame_wanted != NULL && camera->shown && !asked &&
        media_video_track_wants_key_frame(camera->video)) {
        camera->asked_ns = now_ns;
        stage->on_key_frame_wanted(media_video_track_id(camera->video), stage->user_data);
    }
}

bool media_stage_advance(MediaStage *stage, int64_t to_ns, int64_t *ret_time_ns)
{
    follow_speaker(stage, to_ns);
    mark_shown(stage);
    stage->changed |= stage->moving;
    for (guint i = 0; i < stage->cameras->len; i++) {
        Camera *camera = g_ptr_array_index(stage->cameras, i);
        while (media_video_track_advance(camera->video, to_ns, camera->shown)) {
            stage->changed = true;
            stage->changed_ns =
                MAX(stage->changed_ns, media_video_track_picture(camera->video)->time_ns);
        }
        ask_for_key_frame(stage, camera, to_ns);
    }
    *ret_time_ns = stage->changed_ns;
    return stage->changed && !stage->farewell;
}

static bool is_screen(const Slot *slot)
{
    return slot->camera != NULL && slot->camera->is_screen;
}

static bool is_page(const Slot *slot)
{
    return slot->camera != NULL && media_video_track_id(slot->camera->video) == MEDIA_PAGE_TRACK;
}

static MediaTile tile_for(const MediaStage *stage, const Slot *slot)
{
    if (is_page(slot)) { /* it names its people itself */
        return (MediaTile){.picture = media_video_track_picture(slot->camera->video)};
    }
    bool gallery = stage->mode == MEDIA_MODE_GALLERY_VIEW && !is_screen(slot);
    const Participant *participant = slot->participant;
    MediaTile tile = {
        .picture = slot->camera != NULL ? media_video_track_picture(slot->camera->video) : NULL,
        .name = participant != NULL ? participant->name : NULL,
    };
    tile.label = gallery || tile.picture != NULL;
    if (gallery && participant != NULL) {
        const Participant *room = find_participant(stage, participant->room_id);
        bool speaks = participant->speaking && !participant->muted;
        tile.muted = participant->muted;
        tile.speaking = speaks || (room != NULL && room->speaking);
    }
    return tile;
}

/* Where everything is to stand. */
static void place(const MediaStage *stage, const Slot *slots, int n, MediaRect frame,
                  MediaPlace *ret_places)
{
    MediaRect rects[MEDIA_LAYOUT_MAX_TILES] = {frame};
    bool share = n > 0 && is_screen(&slots[0]);
    if (n > 0 && is_page(&slots[0])) {
        ret_places[0] = (MediaPlace){PAGE_KEY, frame};
        return;
    }
    if (stage->mode == MEDIA_MODE_SPEAKER_VIEW) {
        rects[1] = media_layout_inset(frame.width, frame.height);
    } else if (share) {
        media_layout_share(frame.width, frame.height, n - 1, rects);
    } else if (n > 0) {
        media_layout_grid(frame.width, frame.height, n, rects);
    }
    for (int i = 0; i < n; i++) {
        const Participant *participant = slots[i].participant;
        uint64_t key = participant != NULL ? participant->id : 0;
        ret_places[i] = (MediaPlace){is_screen(&slots[i]) ? key | SCREEN_KEY : key, rects[i]};
    }
}

GstBuffer *media_stage_compose(MediaStage *stage, MediaComposer *composer, int64_t at_ns)
{
    Slot slots[MEDIA_LAYOUT_MAX_TILES];
    MediaTile tiles[MEDIA_LAYOUT_MAX_TILES];
    MediaPlace places[MEDIA_LAYOUT_MAX_TILES];
    MediaRect frame = {0, 0, GST_VIDEO_INFO_WIDTH(media_composer_info(composer)),
                       GST_VIDEO_INFO_HEIGHT(media_composer_info(composer))};
    follow_speaker(stage, at_ns);
    int n = choose_slots(stage, slots);
    place(stage, slots, n, frame, places);
    /* A cut from speaker to speaker is what a viewer expects; a grid that jumps is not. */
    bool jump = stage->mode == MEDIA_MODE_SPEAKER_VIEW || (n > 0 && is_page(&slots[0]));
    media_motion_aim(&stage->motion, places, n, jump, at_ns);
    for (int i = 0; i < n; i++) {
        tiles[i] = tile_for(stage, &slots[i]);
        tiles[i].rect = media_motion_rect(&stage->motion, i, at_ns);
        tiles[i].drawn_width = places[i].rect.width;
        tiles[i].drawn_height = places[i].rect.height;
    }
    if (n == 0) {
        tiles[n++] = (MediaTile){.rect = frame};
    }
    stage->changed = false;
    stage->moving = media_motion_moves(&stage->motion, at_ns);
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
