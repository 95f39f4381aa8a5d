// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/collections.h"
#include "tests/meeting/scenario.h"
#include "tests/meeting/sender.h"

#include <json-glib/json-glib.h>

/*
 * One test meeting: its people, its clock and its bots. Meeting time zero is the first bot's
 * admission. Everything here happens on the main thread.
 */

typedef struct Meeting Meeting;
typedef struct MeetingBot MeetingBot;

/**
 * meeting_new:
 * @scenario: (transfer full)
 * @report_path: (nullable): where the report goes; what bots say goes beside it
 * @cache_folder: (nullable): for encoded pictures
 *
 * Prepares all media, which takes a second or so per camera that is not in the cache yet.
 *
 * Errors: MEETING_ERROR_MEDIA.
 */
Meeting *meeting_new(MeetingScenario *scenario, const char *report_path, const char *cache_folder,
                     GError **error);
void meeting_free(Meeting *meeting);

/* Is called once, when the scenario has ended and the last bot is gone. */
void meeting_set_finished_func(Meeting *meeting, void (*on_finished)(gpointer data), gpointer data);

const MeetingScenario *meeting_scenario(Meeting *meeting);
const char *meeting_report_path(Meeting *meeting);
GPtrArray *meeting_sources(Meeting *meeting); /* of MeetingSource */
GPtrArray *meeting_voices(Meeting *meeting);  /* of MeetingSource: who is sent as sound */
GPtrArray *meeting_bots(Meeting *meeting);    /* of MeetingBot, also those that left */
gint64 meeting_zero_us(Meeting *meeting);     /* monotonic; -1 before the first admission */
double meeting_now_s(Meeting *meeting);       /* -1 before */
bool meeting_network_down(Meeting *meeting);
bool meeting_has_ended(Meeting *meeting);

/* (transfer full): how the platform names an entry: 100 + number for people, 900 + number for bots,
 * 1000 + 10 * number + index for screens. */
char *meeting_device_name(Meeting *meeting, int number);

/* A page has connected. Returns (transfer none): the bot that @token names, or a new one. */
MeetingBot *meeting_bot_for(Meeting *meeting, const char *token);

/* For bots: the first admission starts the clock. */
void meeting_note_admission(Meeting *meeting);
/* For bots: something that others see has changed (a bot came or went). */
void meeting_note_change(Meeting *meeting);

/* Who is there, as @bot sees it; without people who left. (transfer full) of MeetingUser */
GPtrArray *meeting_users(Meeting *meeting, MeetingBot *bot);

/* Writes the report, atomically. */
bool meeting_write_report(Meeting *meeting, GError **error);
