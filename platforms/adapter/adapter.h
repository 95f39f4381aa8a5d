/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the adapters of web clients share: adapter.c is the interface, drive.c reads the page and
 * does what flow_step says, events.c takes what the page tells. A platform adds its URL, its rules
 * and an AdapterKind; its struct begins with an Adapter. Reference counted, because an event may
 * free it: whoever is called from the main loop and reports something holds a reference until it
 * returns.
 */

#include "platforms/adapter/chat.h"
#include "platforms/adapter/flow.h"
#include "platforms/impl.h"
#include "platforms/page/page.h"
#include "platforms/rules.h"

#define ADAPTER_NAVIGATE_TIMEOUT_MS 30000

typedef struct Adapter Adapter;

/*
 * What differs between platforms beyond their rules. Slots may be NULL. They are called from the
 * main loop while a reference is held, until on_left or platform_free; they may report events.
 */
typedef struct {
    const PlatformImpl *impl;
    size_t size;         /* of the platform's struct */
    bool classic_audio;  /* take createEncodedStreams from the page */
    bool drawn_video;    /* pictures are drawn by the page, not received as tracks */
    bool page_sound;     /* as PageConfig has it */
    bool frames;         /* likewise */
    bool names_accounts; /* who is signed in is not asked for a name */
    const char *script;  /* resource with more JavaScript for the page, or NULL */
    void (*init)(Adapter *adapter);
    void (*clear)(Adapter *adapter);
    /* The page took the bot's name otherwise than it was given: adapter->bot_name is what it took.
     */
    void (*on_named)(Adapter *adapter);
    /* A watched message or body; name as the rules' "wire" has it. */
    void (*on_data)(Adapter *adapter, bool fetch, const char *name, GBytes *data);
    /* A message of the kind's own script. */
    void (*on_message)(Adapter *adapter, const char *type, JsonObject *message);
    void (*on_track)(Adapter *adapter, uint32_t id, JsonObject *track);
    void (*on_track_ended)(Adapter *adapter, uint32_t id);
    /* Returns (transfer full) what is reported in place of @frame, or NULL for nothing. */
    MediaEncodedFrame *(*on_frame)(Adapter *adapter, MediaEncodedFrame *frame);
} AdapterKind;

/* Something that a caller waits for and the page has to do. */
typedef struct {
    Adapter *adapter; /* borrowed */
    GTask *task;      /* owned; NULL once it was cancelled */
} Request;

/* A control in menus that is being pressed. */
typedef struct {
    Adapter *adapter; /* borrowed */
    FlowPurpose button;
    const char *code, *message; /* static: the warning when it does not succeed */
} Walk;

struct Adapter {
    Platform base;
    const AdapterKind *kind;
    PlatformEvents events;
    gpointer user_data;
    char *url, *bot_name, *output_dir; /* owned */
    char *passcode;                    /* owned: typed where the page asks; set by init, or NULL */
    bool want_video, want_gallery, live; /* as PlatformConfig has them */
    PlatformCapture capture;
    BrowserPicturesConfig pictures;
    unsigned view_timer;
    unsigned n_stage_missed;         /* looks in a row */
    bool photographed;               /* the page is */
    bool untapped;                   /* a track could not be tapped */
    GBytes *picture;                 /* owned: a JPEG that the camera shows, or NULL */
    BrowserOptions *browser_options; /* owned until the browser starts */
    struct PlatformStandby *standby; /* borrowed until the browser starts; or NULL */
    bool sandbox;
    bool signed_in, signed_out_told; /* as browser.signed_in; a page showed that it is not so */
    PlatformRules *rules;            /* owned */
    Page *page;                      /* owned */
    Flow flow;
    unsigned poll_timer, leave_timer, deadline_timer, left_source;
    FlowPurpose pressing, writing;             /* of the click, of the field under way */
    unsigned n_name_writes, n_passcode_writes; /* in vain */
    bool name_mended;                          /* it held what no name can */
    bool navigated, busy, poll_soon;           /* busy: a call to the page is under way */
    bool joined, leaving, over, freed;         /* over: on_left is being prepared or was sent */
    bool link_up, link_failed;
    int64_t answer_ms; /* when the page last answered */
    uint64_t n_frames, n_frames_read;
    char *seen_rules[FLOW_N_PURPOSES]; /* owned: last reported */
    GHashTable *seen_dialogs;          /* owned: set of strings */
    unsigned n_shots;
    bool told_left; /* the platform's own messages say that it is over, as below */
    PlatformLeft told;
    const char *told_message; /* static */
    AdapterChat *chat;        /* owned */
    GQueue walks;             /* of owned Walk, likewise */
    GQueue requests;          /* of owned Request, until the page answers or is gone */
    PlatformLeft left;
    char *left_message, *left_rule, *left_shot; /* owned */
};

extern const PageEvents adapter_page_events;

void adapter_release(Adapter *adapter);
int64_t adapter_now_ms(void);
/** (transfer full): @text as a JSON string, which is JavaScript too. */
char *adapter_json_quote(const char *text);
/** Borrowed from @value: its string, or NULL when it is none. */
const char *adapter_string_value(JsonNode *value);
/** (transfer full): @frame of a mix of everybody, with nobody named in it yet. */
MediaEncodedFrame *adapter_new_mixed(const MediaEncodedFrame *frame);

// --- adapter.c ---

/**
 * adapter_create:
 *
 * For PlatformImpl.create. Reads the rules kind->impl->name. Errors: PLATFORM_ERROR_RULES,
 * _BROWSER.
 */
Platform *adapter_create(const AdapterKind *kind, const PlatformConfig *config, const char *url,
                         const PlatformEvents *events, gpointer user_data, GError **error);

void adapter_destroy(Platform *platform);
void adapter_join(Platform *platform);
void adapter_leave(Platform *platform);
void adapter_send_chat(Platform *platform, const char *text, GTask *task);
void adapter_request_key_frame(Platform *platform, uint32_t track_id);
void adapter_set_microphone(Platform *platform, bool open);
bool adapter_speak(Platform *platform, const int16_t *samples, size_t n_samples, GError **error);
void adapter_stop_speaking(Platform *platform);
void adapter_show_picture(Platform *platform, GBytes *jpeg);
/** Gives the page the picture, when there is one. */
void adapter_push_picture(Adapter *adapter);
void adapter_screenshot(Platform *platform, const char *path, GTask *task);

/* The slots of a PlatformImpl that every kind fills alike. */
#define ADAPTER_SLOTS                                                                              \
    .destroy = adapter_destroy, .join = adapter_join, .leave = adapter_leave,                      \
    .send_chat = adapter_send_chat, .request_key_frame = adapter_request_key_frame,                \
    .set_microphone = adapter_set_microphone, .speak = adapter_speak,                              \
    .stop_speaking = adapter_stop_speaking, .show_picture = adapter_show_picture,                  \
    .screenshot = adapter_screenshot

// --- events.c ---

/** No event follows on_left or platform_free. */
bool adapter_is_silent(const Adapter *adapter);
void adapter_warn(Adapter *adapter, const char *code, const char *message);
/** Reports which candidate of @purpose matched (NULL: none), when that is news. */
void adapter_report_rule(Adapter *adapter, FlowPurpose purpose, const char *rule);

/* What a kind has to tell; silent when the adapter is. */
void adapter_report_participant(Adapter *adapter, PlatformParticipantOp op,
                                const PlatformParticipant *participant);
void adapter_report_source(Adapter *adapter, const PlatformSource *source);
/** The platform's own word on who speaks. */
void adapter_report_speaker(Adapter *adapter, const char *platform_id);
void adapter_report_chat(Adapter *adapter, const char *platform_id, const char *name,
                         const char *text);
/** The platform's messages say that it is over; @message is static. The first word counts. */
void adapter_tell_left(Adapter *adapter, PlatformLeft left, const char *message);

// --- capture.c ---

/** Before the browser starts: a display of its own, where it is sure that the page is photographed.
 */
void adapter_capture_prepare(Adapter *adapter, BrowserOptions *options);
/** Whether video is to be taken from its tracks. */
bool adapter_taps_video(const Adapter *adapter);
/** The bot is in the call: photograph the page if that is how pictures come. */
void adapter_capture_admitted(Adapter *adapter);
/** A track could not be tapped, says the page; @message: why. */
void adapter_capture_untapped(Adapter *adapter, const char *message);

// --- drive.c ---

/** Reads the page in @ms, unless something is under way or it is over. */
void adapter_poll_later(Adapter *adapter, unsigned ms);
/** Presses a control that lies in menus, see dom.js' walk_menu; what does not succeed becomes the
 *  warning @code. Nothing when the rules have no @button. @code and @message are static. */
void adapter_walk_menu(Adapter *adapter, FlowPurpose menu, FlowPurpose item, FlowPurpose button,
                       const char *code, const char *message);
/** Media came or went: the page has probably changed too. */
void adapter_poll_soon(Adapter *adapter);
/** The one way out; on_left follows. @alive: the page can still be photographed. */
void adapter_finish(Adapter *adapter, PlatformLeft left, const char *message, const char *rule,
                    bool alive);
void adapter_stop_timers(Adapter *adapter);
/** From the main loop, also when platform_free is what ends them. */
void adapter_cancel_requests(Adapter *adapter);
/** An idle source: @data is a GTask (transfer full), which fails with PLATFORM_ERROR_STATE. */
gboolean adapter_return_left(gpointer data);
