/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The Google Meet adapter's own parts: meet.c is the interface, drive.c reads the page and does
 * what meet_flow_step says, events.c takes what the page tells. Reference counted, because an event
 * may free it: whoever is called from the main loop and reports something holds a reference until
 * it returns.
 */

#include "platforms/impl.h"
#include "platforms/meet/flow.h"
#include "platforms/meet/roster.h"
#include "platforms/page/page.h"
#include "platforms/rules.h"

typedef struct Meet Meet;

/* Something that a caller waits for and the page has to do. */
typedef struct {
    Meet *meet;  /* borrowed */
    GTask *task; /* owned; NULL once it was cancelled */
} Request;

struct Meet {
    Platform base;
    PlatformEvents events;
    gpointer user_data;
    char *url, *bot_name, *output_dir; /* owned */
    bool want_video;
    BrowserOptions *browser_options; /* owned until the browser starts */
    bool sandbox;
    PlatformRules *rules; /* owned */
    MeetRoster *roster;   /* owned */
    Page *page;           /* owned */
    MeetFlow flow;
    unsigned poll_timer, leave_timer, deadline_timer, left_source;
    MeetPurpose pressing;              /* of the click under way */
    bool navigated, busy, poll_soon;   /* busy: a call to the page is under way */
    bool joined, leaving, over, freed; /* over: on_left is being prepared or was sent */
    bool link_up, link_failed;
    int64_t answer_ms; /* when the page last answered */
    uint64_t n_frames, n_frames_read;
    char *seen_rules[MEET_N_PURPOSES];    /* owned: last reported */
    GHashTable *seen_dialogs, *seen_chat; /* owned: sets of strings */
    unsigned n_shots;
    GQueue requests; /* of owned Request, until the page answers or is gone */
    PlatformLeft left;
    char *left_message, *left_rule, *left_shot; /* owned */
};

extern const PageEvents meet_page_events;
extern const MeetRosterEvents meet_roster_events;

void meet_release(Meet *meet);
int64_t meet_now_ms(void);
/** (transfer full): @text as a JSON string, which is JavaScript too. */
char *meet_json_quote(const char *text);
/** Borrowed from @value: its string, or NULL when it is none. */
const char *meet_string_value(JsonNode *value);

// --- events.c ---

/** No event follows on_left or platform_free. */
bool meet_is_silent(const Meet *meet);
void meet_warn(Meet *meet, const char *code, const char *message);
/** Reports which candidate of @purpose matched (NULL: none), when that is news. */
void meet_report_rule(Meet *meet, MeetPurpose purpose, const char *rule);

// --- drive.c ---

/** Reads the page in @ms, unless something is under way or it is over. */
void meet_poll_later(Meet *meet, unsigned ms);
/** Media came or went: the page has probably changed too. */
void meet_poll_soon(Meet *meet);
/** The one way out; on_left follows. @alive: the page can still be photographed. */
void meet_finish(Meet *meet, PlatformLeft left, const char *message, const char *rule, bool alive);
void meet_stop_timers(Meet *meet);
/** From the main loop, also when platform_free is what ends them. */
void meet_cancel_requests(Meet *meet);
/** An idle source: @data is a GTask (transfer full), which fails with PLATFORM_ERROR_STATE. */
gboolean meet_return_left(gpointer data);
