/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/outcome.h"

#define COULD_NOT_JOIN BOT_EVENT_COULD_NOT_JOIN_MEETING

/* What ends a bot that is not in the call yet, or was there without recording. */
static const BotOutcomeRow before_recording[BOT_N_OUTCOMES] = {
    [BOT_OUTCOME_BAD_URL] = {COULD_NOT_JOIN, "meeting_not_found", "invalid_meeting_url", false,
                             "InvalidMeetingUrl", "meeting_not_found", NULL,
                             "The meeting URL is not one of Google Meet, Microsoft Teams or Zoom.",
                             BOT_EXIT_NEVER_RECORDED},
    [BOT_OUTCOME_DENIED] = {COULD_NOT_JOIN, "request_to_join_denied", "bot_rejected", false,
                            "BotNotAccepted", "access_denied", NULL,
                            "Someone in the call refused to let the bot in.",
                            BOT_EXIT_NEVER_RECORDED},
    [BOT_OUTCOME_WAITING_ROOM_TIMEOUT] = {COULD_NOT_JOIN, "waiting_room_timeout_exceeded",
                                          "waiting_room_timeout", false, "TimeoutWaitingToStart",
                                          "access_denied", NULL,
                                          "Nobody let the bot in before its time in the waiting "
                                          "room was over.",
                                          BOT_EXIT_NEVER_RECORDED},
    [BOT_OUTCOME_HOST_ABSENT] = {COULD_NOT_JOIN, "meeting_not_started_waiting_for_host",
                                 "waiting_room_timeout", false, "TimeoutWaitingToStart",
                                 "access_denied", NULL,
                                 "The host did not start the meeting in time.",
                                 BOT_EXIT_NEVER_RECORDED},
    [BOT_OUTCOME_LOGIN_REQUIRED] = {COULD_NOT_JOIN, "login_required", "meeting_error", false,
                                    "CannotJoinMeeting", "authentication_error", NULL,
                                    "The meeting admits signed-in people only: give the bot a "
                                    "signed-in profile (browser.profile_dir).",
                                    BOT_EXIT_NEVER_RECORDED},
    [BOT_OUTCOME_NOT_FOUND] = {COULD_NOT_JOIN, "meeting_not_found", "meeting_error", false,
                               "CannotJoinMeeting", "meeting_not_found", NULL,
                               "The platform knows no meeting at this URL.",
                               BOT_EXIT_NEVER_RECORDED},
    [BOT_OUTCOME_CAPTCHA] = {COULD_NOT_JOIN, "blocked_by_captcha", "meeting_error", false,
                             "CannotJoinMeeting", "access_denied", NULL,
                             "The platform asked for proof of a person; the bot does not give it.",
                             BOT_EXIT_NEVER_RECORDED},
    [BOT_OUTCOME_BOTS_NOT_ALLOWED] = {COULD_NOT_JOIN, "bots_not_allowed", "meeting_error", false,
                                      "CannotJoinMeeting", "access_denied", NULL,
                                      "The platform does not let bots into this meeting.",
                                      BOT_EXIT_NEVER_RECORDED},
    [BOT_OUTCOME_REMOVED] = {BOT_EVENT_MEETING_ENDED, NULL, "bot_removed", false, "BotRemoved",
                             "access_denied", "bot_removed",
                             "A participant removed the bot before recording began.",
                             BOT_EXIT_NEVER_RECORDED},
    [BOT_OUTCOME_MEETING_ENDED] = {BOT_EVENT_MEETING_ENDED, NULL, NULL, true, NULL, NULL,
                                   "meeting_ended", "The meeting ended.", BOT_EXIT_OK},
    [BOT_OUTCOME_NO_ATTENDEES] = {BOT_EVENT_LEAVE_REQUESTED,
                                  "auto_leave_only_participant_in_meeting", NULL, true, NULL, NULL,
                                  "no_attendees", "Nobody else joined.", BOT_EXIT_OK},
    [BOT_OUTCOME_ALONE] = {BOT_EVENT_LEAVE_REQUESTED, "auto_leave_only_participant_in_meeting",
                           NULL, true, NULL, NULL, "no_attendees", "Everybody else left.",
                           BOT_EXIT_OK},
    [BOT_OUTCOME_NO_SPEAKER] = {BOT_EVENT_LEAVE_REQUESTED, "auto_leave_silence", NULL, true, NULL,
                                NULL, "no_speaker", "Nobody spoke for the silence time-out.",
                                BOT_EXIT_OK},
    [BOT_OUTCOME_MAX_DURATION] = {BOT_EVENT_LEAVE_REQUESTED, "auto_leave_max_uptime_exceeded", NULL,
                                  true, NULL, NULL, "recording_timeout",
                                  "The maximum duration was reached.", BOT_EXIT_OK},
    [BOT_OUTCOME_USER_REQUESTED] = {BOT_EVENT_LEAVE_REQUESTED, "user_requested", NULL, true, NULL,
                                    NULL, "api_request", "The bot was asked to leave.",
                                    BOT_EXIT_OK},
    [BOT_OUTCOME_LOST] = {BOT_EVENT_FATAL_ERROR, "internal_error", "meeting_error", false,
                          "InternalError", "network_error", NULL,
                          "The meeting's page was lost before recording began.", BOT_EXIT_INTERNAL},
    [BOT_OUTCOME_RECORDING_FAILED] = {BOT_EVENT_FATAL_ERROR, "internal_error", "meeting_error",
                                      false, "InternalError", "internal_error", NULL,
                                      "Recording could not start.", BOT_EXIT_INTERNAL},
    [BOT_OUTCOME_UI_NOT_FOUND] = {BOT_EVENT_FATAL_ERROR, "ui_element_not_found", "meeting_error",
                                  false, "InternalError", "internal_error", NULL,
                                  "A control that joining needs did not show on the page.",
                                  BOT_EXIT_INTERNAL},
    [BOT_OUTCOME_INTERNAL] = {BOT_EVENT_FATAL_ERROR, "internal_error", "meeting_error", false,
                              "InternalError", "internal_error", NULL,
                              "The worker failed before anything was recorded.", BOT_EXIT_INTERNAL},
};

static const BotOutcomeRow removed_while_recording = {
    BOT_EVENT_MEETING_ENDED,          NULL,       "bot_removed", true, NULL, NULL, "bot_removed",
    "A participant removed the bot.", BOT_EXIT_OK};

static const BotOutcomeRow lost_while_recording = {BOT_EVENT_MEETING_ENDED,
                                                   NULL,
                                                   "meeting_error",
                                                   true,
                                                   NULL,
                                                   NULL,
                                                   "meeting_error",
                                                   "The meeting's page was lost while recording.",
                                                   BOT_EXIT_OK};

static const BotOutcomeRow failed_while_recording = {
    BOT_EVENT_LEAVE_REQUESTED,      NULL,       "meeting_error", true, NULL, NULL, "meeting_error",
    "Recording had to stop early.", BOT_EXIT_OK};

/* Out of the call, by the host or by a crash, the bot asked to be let in again, in vain. */
static const BotOutcomeRow refused_while_recording = {
    BOT_EVENT_MEETING_ENDED,
    NULL,
    "bot_removed",
    true,
    NULL,
    NULL,
    "bot_removed",
    "Someone in the call refused to let the bot in again.",
    BOT_EXIT_OK};

static const BotOutcomeRow not_let_in_again = {
    BOT_EVENT_LEAVE_REQUESTED,
    "waiting_room_timeout_exceeded",
    "bot_removed",
    true,
    NULL,
    NULL,
    "bot_removed",
    "Nobody let the bot in again before its time in the waiting room was over.",
    BOT_EXIT_OK};

const BotOutcomeRow *bot_outcome_row(BotOutcome outcome, bool recorded)
{
    g_assert(outcome > BOT_OUTCOME_NONE && outcome < BOT_N_OUTCOMES);
    if (!recorded) {
        return &before_recording[outcome];
    }
    if (outcome == BOT_OUTCOME_REMOVED) {
        return &removed_while_recording;
    }
    if (outcome == BOT_OUTCOME_DENIED) {
        return &refused_while_recording;
    }
    if (outcome == BOT_OUTCOME_WAITING_ROOM_TIMEOUT || outcome == BOT_OUTCOME_HOST_ABSENT) {
        return &not_let_in_again;
    }
    if (outcome == BOT_OUTCOME_RECORDING_FAILED) {
        return &failed_while_recording;
    }
    /* Any other failure found in the call is a loss of the page as far as the outside can tell. */
    return before_recording[outcome].complete ? &before_recording[outcome] : &lost_while_recording;
}

static int outcome_rank(BotOutcome outcome)
{
    if (outcome == BOT_OUTCOME_NONE) {
        return 0;
    }
    if (outcome == BOT_OUTCOME_USER_REQUESTED || outcome == BOT_OUTCOME_LOGIN_REQUIRED) {
        return 3;
    }
    return outcome >= BOT_OUTCOME_LOST ? 1 : 2;
}

BotOutcome bot_outcome_merge(BotOutcome current, BotOutcome next)
{
    return outcome_rank(next) > outcome_rank(current) ? next : current;
}

const char *bot_outcome_to_string(BotOutcome outcome)
{
    static const char *const names[BOT_N_OUTCOMES] = {
        [BOT_OUTCOME_NONE] = "none",
        [BOT_OUTCOME_BAD_URL] = "bad_url",
        [BOT_OUTCOME_DENIED] = "denied",
        [BOT_OUTCOME_WAITING_ROOM_TIMEOUT] = "waiting_room_timeout",
        [BOT_OUTCOME_HOST_ABSENT] = "host_absent",
        [BOT_OUTCOME_LOGIN_REQUIRED] = "login_required",
        [BOT_OUTCOME_NOT_FOUND] = "not_found",
        [BOT_OUTCOME_CAPTCHA] = "captcha",
        [BOT_OUTCOME_BOTS_NOT_ALLOWED] = "bots_not_allowed",
        [BOT_OUTCOME_REMOVED] = "removed",
        [BOT_OUTCOME_MEETING_ENDED] = "meeting_ended",
        [BOT_OUTCOME_NO_ATTENDEES] = "no_attendees",
        [BOT_OUTCOME_ALONE] = "alone",
        [BOT_OUTCOME_NO_SPEAKER] = "no_speaker",
        [BOT_OUTCOME_MAX_DURATION] = "max_duration",
        [BOT_OUTCOME_USER_REQUESTED] = "user_requested",
        [BOT_OUTCOME_LOST] = "lost",
        [BOT_OUTCOME_RECORDING_FAILED] = "recording_failed",
        [BOT_OUTCOME_UI_NOT_FOUND] = "ui_not_found",
        [BOT_OUTCOME_INTERNAL] = "internal",
    };
    return names[outcome];
}
