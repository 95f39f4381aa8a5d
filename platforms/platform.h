/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/frame.h"
#include "platforms/meeting_url.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>

/*
 * A meeting platform as the session sees it: one adapter drives one browser page through one
 * meeting. Created, used and freed on the main thread.
 *
 * The contract of events, each clause a test:
 *  - they come on the creating thread's main context, never from inside a call of this header,
 *    never after platform_free;
 *  - platform_free may be called from inside an event;
 *  - on_lobby only when a lobby really shows, on_admitted after it; both come again when the host
 *    puts the bot back into the lobby, and lets it in once more;
 *  - participants and sources may come before on_admitted, frames too;
 *  - on_left comes exactly once when join was called, and is the last event.
 */

typedef struct Platform Platform;

typedef enum {
    PLATFORM_LEFT_REQUESTED,     /* platform_leave was called and done */
    PLATFORM_LEFT_DENIED,        /* someone said no */
    PLATFORM_LEFT_LOBBY_TIMEOUT, /* the platform itself gave up on our knock */
    PLATFORM_LEFT_NOT_FOUND,
    PLATFORM_LEFT_LOGIN_REQUIRED,
    PLATFORM_LEFT_CAPTCHA,
    PLATFORM_LEFT_BOTS_NOT_ALLOWED,
    PLATFORM_LEFT_REMOVED,      /* a person put the bot out */
    PLATFORM_LEFT_ENDED,        /* the call ended for everyone */
    PLATFORM_LEFT_PAGE_LOST,    /* frozen, crashed, navigated away, browser died */
    PLATFORM_LEFT_NETWORK_LOST, /* the page can't reach the platform any more */
    PLATFORM_LEFT_UI_NOT_FOUND, /* a control that the join needs did not show */
    PLATFORM_LEFT_INTERNAL,
} PlatformLeft;

const char *platform_left_to_string(PlatformLeft left);

typedef enum {
    PLATFORM_ERROR_FAILED,
    PLATFORM_ERROR_URL,         /* not a meeting URL of any platform; the message says which rule */
    PLATFORM_ERROR_BROWSER,     /* Chromium did not start, or its pipe broke */
    PLATFORM_ERROR_TIMEOUT,     /* a bounded call got no answer */
    PLATFORM_ERROR_PROTOCOL,    /* the page or the browser sent what it may not */
    PLATFORM_ERROR_RULES,       /* a selector file is missing or wrong */
    PLATFORM_ERROR_UNSUPPORTED, /* this platform can't do that */
    PLATFORM_ERROR_STATE,       /* not now: not in the call */
} PlatformError;

#define PLATFORM_ERROR platform_error_quark()
GQuark platform_error_quark(void);

typedef enum {
    PLATFORM_PARTICIPANT_JOINED,
    PLATFORM_PARTICIPANT_UPDATED,
    PLATFORM_PARTICIPANT_LEFT,
} PlatformParticipantOp;

typedef struct {
    const char *platform_id; /* stable for the meeting, e.g. "spaces/x/devices/1" */
    const char *name;        /* UTF-8, never NULL; "" until known */
    const char *avatar_url;  /* or NULL */
    bool is_host;
    bool is_self; /* the bot's own entry */
    bool muted;
    /* NULL for a person. Else the people (platform ids, NULL-ended, borrowed) who share one sound,
     * as devices in one room do: the entry is no person, but the voice of them all. It comes after
     * them and before that sound is said to be its own, and its members never change. */
    const char *const *members;
} PlatformParticipant;

typedef enum {
    PLATFORM_SOURCE_AUDIO,  /* source = contributing source */
    PLATFORM_SOURCE_VIDEO,  /* source = track id */
    PLATFORM_SOURCE_SCREEN, /* source = track id */
} PlatformSourceKind;

typedef struct {
    PlatformSourceKind kind;
    uint32_t source;         /* contributing source or track id; 0 when only the state is known */
    const char *platform_id; /* whose */
    bool active;             /* false: muted, or camera off */
} PlatformSource;

typedef struct {
    PlatformLeft left;
    const char *message;    /* a sentence for people: what was seen */
    const char *rule;       /* the rule that matched ("ended/removed_text_2"), or NULL */
    const char *screenshot; /* path of the picture taken at failure, or NULL */
} PlatformLeftInfo;

typedef struct {
    void (*on_lobby)(gpointer user_data);
    /* The lobby says that the host is not there yet (true), or no longer says so (false). Comes
     * after on_lobby, and only when the page's text tells the two apart. */
    void (*on_host_absent)(bool absent, gpointer user_data);
    void (*on_admitted)(gpointer user_data);
    /* The host allowed or refused recording (Meet: a refusal dialog); after on_admitted. */
    void (*on_recording_permission)(bool granted, const char *reason, gpointer user_data);
    void (*on_participant)(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data);
    void (*on_source)(const PlatformSource *source, gpointer user_data);
    /* The platform's own word on who dominates now; a second opinion. */
    void (*on_speaker)(const char *platform_id, gpointer user_data);
    void (*on_track_ended)(uint32_t track_id, gpointer user_data);
    void (*on_frame)(MediaEncodedFrame *frame, gpointer user_data); /* (transfer none) */
    void (*on_chat)(const char *platform_id, const char *name, const char *text,
                    gpointer user_data);
    /* The meeting shows the microphone as open and its media are connected (speech is heard from
     * now on), or closed, whoever did it; what was asked with platform_set_microphone is done when
     * this tells so. */
    void (*on_microphone)(bool open, gpointer user_data);
    /* Which candidate of which purpose matched; @found false: none did. */
    void (*on_rule)(const char *purpose, const char *rule, bool found, gpointer user_data);
    /* Something went another way than asked, the bot stays; codes are stable words. */
    void (*on_warning)(const char *code, const char *message, gpointer user_data);
    void (*on_left)(const PlatformLeftInfo *info, gpointer user_data);
} PlatformEvents;

/* Where the pictures come from. */
typedef enum {
    PLATFORM_CAPTURE_AUTO,   /* each from its own track; where that can't be, from the page */
    PLATFORM_CAPTURE_TAP,    /* from their tracks, or not at all */
    PLATFORM_CAPTURE_SCREEN, /* from the page as it is shown */
} PlatformCapture;

typedef struct {
    const char *meeting_url;
    const char *bot_name;
    const char *output_dir; /* screenshots of failures go to <output_dir>/screenshots */
    bool want_video;        /* false: audio_only, incoming video is turned off */
    bool want_gallery;      /* where the page is photographed, its gallery is wanted */
    bool live;              /* somebody listens live: frames come as they arrive, not in batches */
    PlatformCapture capture;
    uint16_t picture_width, picture_height; /* of a picture of the page; 0: as it comes */
    uint8_t picture_fps;                    /* at most; 0: 25 */
    bool want_microphone; /* speech will be sent: a microphone track is offered, still muted */
    JsonObject *browser;  /* the configuration's "browser" part, checked; or NULL */
    /* A browser started ahead (platforms/standby.h), or NULL; used by platform_join when it was
     * started as "browser" says. Borrowed until then. */
    struct PlatformStandby *standby;
    const char *null_dir; /* folder of the documents of null: meetings; NULL: there are none */
} PlatformConfig;

/**
 * platform_new:
 *
 * Finds the adapter for config->meeting_url and reads its rules. Strings are copied.
 * Errors: PLATFORM_ERROR_URL, PLATFORM_ERROR_RULES.
 */
Platform *platform_new(const PlatformConfig *config, const PlatformEvents *events,
                       gpointer user_data, GError **error);
/** Ends the browser, removes its temporary folders. Blocks at most 3 s. */
void platform_free(Platform *platform);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Platform, platform_free)

const char *platform_get_name(Platform *platform);

/** Start the browser and join; everything else comes as events. Call once. */
void platform_join(Platform *platform);

/** Leave the call or take the knock back; on_left follows within 5 s whatever the page does. */
void platform_leave(Platform *platform);

/** Asynchronous; @callback gets PLATFORM_ERROR_STATE outside a call, _UNSUPPORTED, _TIMEOUT. */
void platform_send_chat_async(Platform *platform, const char *text, GAsyncReadyCallback callback,
                              gpointer user_data);
bool platform_send_chat_finish(Platform *platform, GAsyncResult *result, GError **error);

/** Ask the sender of @track_id's pictures for a key frame; nothing where there is no way. */
void platform_request_key_frame(Platform *platform, uint32_t track_id);

/** Turn the microphone in the meeting on or off. Idempotent; errors come as on_warning. */
void platform_set_microphone(Platform *platform, bool open);

/**
 * platform_speak:
 * @samples: s16 mono, host order, at 48 kHz, already paced by the caller
 *
 * Queue speech in the page's microphone track. PLATFORM_ERROR_STATE when the page link is down.
 */
bool platform_speak(Platform *platform, const int16_t *samples, size_t n_samples, GError **error);

/** Drop what the page has not played yet. */
void platform_stop_speaking(Platform *platform);

/**
 * platform_show_picture:
 * @jpeg: a JPEG file of our own making; a reference is kept
 *
 * Show it as the bot's camera picture, from admission on. Errors come as on_warning.
 */
void platform_show_picture(Platform *platform, GBytes *jpeg);

/** PNG of the page at @path. Asynchronous, bounded. */
void platform_screenshot_async(Platform *platform, const char *path, GAsyncReadyCallback callback,
                               gpointer user_data);
bool platform_screenshot_finish(Platform *platform, GAsyncResult *result, GError **error);
