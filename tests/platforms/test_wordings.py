#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every text that has been seen on the platforms' pages finds the rule that is meant, in either
apostrophe and in any case."""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

TEXTS = {
    "meet": {
        "not_found": ["Check your meeting code", "Invalid video call name",
                      "Your meeting code has expired",
                      "The meeting code you entered doesn’t work"],
        "login_required": ["Sign in", "Sign in to continue to Google Meet", "Choose an account",
                           "Verify it's you", "Confirm it's you",
                           "This call is restricted to an organization you don't belong to"],
        "blocked": ["You can't join this video call", "You can't join this meeting",
                    "You can't join this call", "This meeting is full",
                    "This call has reached the maximum of 100 participants",
                    "You're in a video call in another window",
                    "No puedes unirte a esta videollamada",
                    "Não é possível participar desta videochamada",
                    "There is a problem connecting to this video call"],
        "not_started": ["You can't create a meeting yourself"],
        "denied": ["Someone in the call denied your request to join", "You've been removed",
                   "we encountered a problem joining", "You left the meeting",
                   "Your sign-in credentials might have changed",
                   "You weren't allowed to join", "You aren't allowed to join this call",
                   "You're not allowed to join", "You were denied", "You weren't admitted",
                   "Ask to join again"],
        "lobby_timeout": ["No one responded to your request to join the call"],
        "without_account": ["Use without an account"],
        "dismiss": ["Dismiss", "Got it"],
        "join_button": ["Ask to join", "Ask to join anyway", "Join now", "Join the call now",
                        "Join anyway", "Join here too", "Join meeting", "Join", "Enter meeting",
                        "Switch here", "Teilnahme erbitten", "Jetzt teilnehmen",
                        "Trotzdem teilnehmen", "Participar agora", "Pedir para participar", "Katıl",
                        "Katılma isteği gönder"],
        "lobby": ["Asking to join", "Asking to be let in", "Your request to join",
                  "waiting to be let in", "Instead of waiting to be let in",
                  "Please wait until a meeting host brings you into the call",
                  "Somebody admits you to the call", "You'll join the call when someone lets you in",
                  "You'll join when someone lets you in", "Waiting for the host to let you in",
                  "You're in the waiting room", "You were sent back to the waiting room",
                  "You've been moved to the waiting room"],
        "host_absent": ["Waiting for the host", "Waiting for the host to join"],
        "consent": ["Gemini is taking notes", "This video call is being recorded",
                    "This video call is being transcribed",
                    "Others may see your video differently", "Take notes for me is on",
                    "Are you still there?", "You're the only one here"],
        "dialog_dismiss": ["Got it", "OK", "Dismiss", "Close", "Continue"],
        "removed": ["You've been removed from the meeting"],
        "ended": ["Your host ended the meeting for everyone", "The call ended", "Meeting ended",
                  "Call ended", "You've left the meeting"],
        "ended_page": ["The call ended", "Return to home", "No one else", "Meeting ended",
                       "Call ended", "You've left the meeting"],
        "leave_button": ["Leave", "call_end"],
        "chat_send": ["send"],
        "nobody_row": ["Merged audio", "Presentation"],
        "video_is_off": ["Incoming video is set to audio only"],
    },
    "teams": {
        "without_account": ["Continue on this browser", "Join on this browser",
                            "Join from browser", "Continue without the app", "Use the web app"],
        "join_button": ["Join now"],
        "lobby": ["Someone will let you in shortly", "Someone will let you in soon",
                  "Someone in the meeting should let you in soon",
                  "Waiting for someone to let you in", "You're in the lobby",
                  "Please wait until someone admits you", "Your request to join has been sent"],
        "dialog_dismiss": ["Not now", "Stay muted", "OK"],
        "ended_page": ["The meeting has ended", "Meeting ended", "Did you leave by mistake?"],
        "login_required": [
            "We need to verify your info before you can join",
            "To join, sign in or use Teams on the web",
            "You need to be signed in to Teams to access this meeting",
            "If you're not signed in to a Teams (work or school) account",
            "Sign in to Teams to join, or contact the meeting organizer",
            "To join this Teams meeting, you need to be signed in to an account.",
            "To join this meeting, sign in again or select another account.",
            "Due to org policy, you need to sign in or use Teams on the web to join this meeting.",
            "Only people with a work or school account", "Anonymous users can't join",
            "sign in with an account from this organization", "Verify your email",
            "enter the code sent to", "External participants are not permitted to join before the event begins"],
        "not_found": ["We couldn't find a meeting matching this ID and passcode.",
                      "Looks like the meeting URL is incorrect. Please check the URL and try again."],
        "captcha": ["Verify you're a real person"],
        "denied": ["Sorry, but you were denied access to the meeting.",
                   "Your request to join was declined", "You weren't admitted to the meeting",
                   "Sorry, but you were denied", "You were denied entry"],
        "could_not_connect": ["we couldn't connect you"],
        "removed": ["You've been removed from this meeting", "Removed from the meeting",
                    "You have been removed from this meeting", "Removed from meeting"],
        "leave_button": ["Leave"],
        "dismiss": ["Continue without audio or video"],
    },
    "zoom": {
        "without_account": ["Continue without microphone and camera", "Join from browser",
                            "Join from your browser", "Launch Meeting"],
        "not_found": ["This meeting link is invalid (3,001)", "Invalid meeting ID"],
        "dismiss": ["Accept Cookies", "I Agree", "Allow"],
        "join_audio": ["Allow", "Continue without microphone and camera", "Audio", "Join Audio"],
        "dialog_dismiss": ["Stay Muted", "Later", "Got it", "OK"],
        "lobby": ["Please wait, the meeting host will let you in soon", "waiting room",
                  "will let you in", "admitted shortly", "Host has joined"],
        "lobby_hint": ["Please wait"],
        "host_absent": ["Waiting for the host to start this meeting"],
        "not_started": ["Error - Zoom"],
        "login_required": [
            "sign in to join this meeting", "Sign in to join", "authentication is required",
            "only authenticated users can join",
            "this meeting requires authentication",
            "The host requires authentication on the commercial Zoom platform to join this meeting"],
        "captcha": ["check captcha"],
        "blocked": ["automated bots aren't allowed", "automated bots aren’t allowed",
                    "must use Zoom RTMS", "detected you may be a bot"],
        "passcode_wrong": ["Passcode wrong", "Incorrect password"],
        "could_not_connect": ["Your network connection has timed out or your organization has "
                              "disabled access to Zoom from the browser"],
        "removed": ["You have been removed", "You were removed from the meeting"],
        "ended": ["This meeting has been ended by host", "meeting has ended", "ended by the host",
                  "The host ended the meeting", "Meeting is end now"],
    },
}


def normal(text):
    text = re.sub("[\u2018\u2019]", "'", text)
    return re.sub(r"\s+", " ", text).strip().lower()


# What a longer rule must leave to another one.
NOT = {"meet": {"host_absent": ["Waiting for the host to let you in"],
                "lobby": ["No one can join a meeting unless invited or admitted by the host"],
                "blocked": ["You're in a video call in another window. Switch here"]}}


def finds(candidate, text):
    """As platforms/page/dom.js compares, were @text all that an element holds."""
    wanted = [normal(part) for part in candidate.get("text", [])]
    how = candidate.get("match", "contains")
    if any(normal(part) in normal(text) for part in candidate.get("unless", [])):
        return False
    if how == "exact":
        return normal(text) in wanted
    if how == "begins":
        return any(normal(text).startswith(part) for part in wanted)
    return bool(wanted) and (all if how == "all" else any)(part in normal(text) for part in wanted)


LIST_READERS = re.compile(r"\b(?:allOf|partOf|isLit|hasWord|says)\((?:[^()']*, )?'(\w+)'")


def undeclared():
    """Purposes that the page's code reads as lists, and that check-page would read otherwise."""
    scripts = [path.read_text() for path in (ROOT / "platforms").glob("*/*.js")]
    table = re.search(r"READ_IN_LISTS = \{(.*?)\n\};", "\n".join(scripts), re.S)[1]
    declared = set(re.findall(r"(\w+): \{", table))
    return {purpose for text in scripts for purpose in LIST_READERS.findall(text)} - declared


def main():
    print(f"1..{len(TEXTS) + 1}")
    failed = False
    for number, (platform, purposes) in enumerate(TEXTS.items(), 1):
        rules = json.loads((ROOT / "platforms" / platform / "rules.json").read_text())["purposes"]
        lost = [f"{purpose}: {text}" for purpose, texts in purposes.items() for text in texts
                for variant in (text.upper(), text.replace("'", "’"))
                if normal(variant) == normal(text)  # not of every language
                and not any(finds(candidate, variant) for candidate in rules[purpose])]
        lost += [f"not {purpose}: {text}" for purpose, texts in NOT.get(platform, {}).items()
                 for text in texts if any(finds(candidate, text) for candidate in rules[purpose])]
        for problem in lost:
            print(f"# {platform}: no rule for {problem}")
        failed = failed or bool(lost)
        n = sum(map(len, purposes.values()))
        print(f"{'not ok' if lost else 'ok'} {number} {platform}: {n} texts")
    strangers = undeclared()
    print(f"{'not ok' if strangers else 'ok'} {len(TEXTS) + 1} lists: undeclared {strangers}")
    sys.exit(1 if failed or strangers else 0)


if __name__ == "__main__":
    main()
