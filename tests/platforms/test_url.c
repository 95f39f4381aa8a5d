/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/url.h"

#include "platforms/platform.h"

#include <string.h>

#define MEET "https://meet.google.com/abc-defg-hij"
#define MEETUP                                                                                     \
    "https://teams.microsoft.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"    \
    "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"            \
    "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D"
#define WORK "https://teams.microsoft.com/meet/2359876543210?p=AbC123xYz"
#define LIVE "https://teams.live.com/meet/9357486291034?p=QwErTy12"

static const struct {
    const char *url, *platform, *canonical;
} good[] = {
    {"https://meet.google.com/abc-defg-hij", "meet", MEET},
    {" https://meet.google.com/abc-defg-hij\n", "meet", MEET},
    {"\"https://meet.google.com/abc-defg-hij\"", "meet", MEET},
    {"<https://meet.google.com/abc-defg-hij>", "meet", MEET},
    {"https://meet.google.com/abc-defg-hij>", "meet", MEET},
    {"https://meet.google.com/abc-defg-hij/", "meet", MEET},
    {"https://meet.google.com/abc-defg-hij?authuser=0&hs=122", "meet", MEET},
    {"https://meet.google.com/abc-defg-hij#anything", "meet", MEET},
    {"https://meet.google.com/%61bc-defg-hij", "meet", MEET},
    {"meet.google.com/abc-defg-hij", "meet", MEET},
    {"https://MEET.google.com/abc-defg-hij", "meet", MEET},
    {"https://meet%2Egoogle.com/abc-defg-hij", "meet", MEET},
    {"HTTPS://meet.google.com/abc-defg-hij", "meet", MEET},
    {"https://www.google.com/url?q=https%3A%2F%2Fmeet.google.com%2Fabc-defg-hij&sa=D&ust=17",
     "meet", MEET},
    {"https://google.com/url?url=https://meet.google.com/abc-defg-hij", "meet", MEET},
    {"https%3A%2F%2Fmeet.google.com%2Fabc-defg-hij", "meet", MEET},
    {"https%253A%252F%252Fmeet.google.com%252Fabc-defg-hij", "meet", MEET},
    {"HTTPS%3a%2f%2fmeet.google.com/abc-defg-hij", "meet", MEET},
    {"https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fmeet.google.com"
     "%2Fabc-defg-hij&data=05%7C01",
     "meet", MEET},
    {"https://meet.google.com/abc-defg-hij\\?authuser\\=0\\&hs=1", "meet", MEET},
    {"https://teams.microsoft.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"
     "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D",
     "teams", MEETUP},
    {"https://teams.microsoft.com/l/meetup-join/19:meeting_NzI0OTYwYzItZjQ0ZS00@thread.v2/0"
     "?context={\"Tid\":\"72f988bf-86f1-41af-91ab-2d7cd011db47\",\"Oid\":\"e4ec8f9e-0a6b-4d5e-8f0a"
     "-1b2c3d4e5f60\"}",
     "teams", MEETUP},
    {"https://teams.microsoft.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00@thread.v2/0"
     "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D",
     "teams", MEETUP},
    {"https://teams.microsoft.com/l/meetup-join/19%3ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"
     "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D",
     "teams", MEETUP},
    {"https://TEAMS.Microsoft.COM/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"
     "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D",
     "teams", MEETUP},
    {"teams.microsoft.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0?context="
     "%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D",
     "teams", MEETUP},
    {"https://teams.microsoft.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"
     "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D&anon=true",
     "teams", MEETUP},
    {"https://teams.microsoft.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"
     "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D#hash",
     "teams", MEETUP},
    {"\"https://teams.microsoft.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"
     "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D\"",
     "teams", MEETUP},
    {"<https://teams.microsoft.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"
     "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D>",
     "teams", MEETUP},
    {"https%3A%2F%2Fteams.microsoft.com%2Fl%2Fmeetup-join%2F19%253Ameeting_NzI0OTYwYzItZjQ0ZS00"
     "%2540thread.v2%2F0%3Fcontext%3D%257B%2522Tid%2522%253A"
     "%252272f988bf-86f1-41af-91ab-2d7cd011db47%2522%252C%2522Oid%2522%253A"
     "%2522e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%2522%257D",
     "teams", MEETUP},
    {"https%253A%252F%252Fteams.microsoft.com%252Fl%252Fmeetup-join%252F19"
     "%25253Ameeting_NzI0OTYwYzItZjQ0ZS00%252540thread.v2%252F0%253Fcontext%253D%25257B%252522Tid"
     "%252522%25253A%25252272f988bf-86f1-41af-91ab-2d7cd011db47%252522%25252C%252522Oid%252522"
     "%25253A%252522e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%252522%25257D",
     "teams", MEETUP},
    {"https://teams.microsoft.com/_#/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00@thread.v2/0"
     "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D&anon=true",
     "teams", MEETUP},
    {"https://teams.microsoft.com/v2/?meetingjoin=true#/l/meetup-join/19"
     "%3Ameeting_NzI0OTYwYzItZjQ0ZS00@thread.v2/0?context=%7B%22Tid%22%3A"
     "%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D&anon=true",
     "teams", MEETUP},
    {"https://teams.microsoft.com/v2#/l/meetup-join/19:meeting_NzI0OTYwYzItZjQ0ZS00@thread.v2/0"
     "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D",
     "teams", MEETUP},
    {"https://teams.microsoft.com/dl/launcher/launcher.html?url=%2F_%23%2Fl%2Fmeetup-join%2F19"
     "%253Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2%2F0%3Fcontext%3D%257B%2522Tid%2522%253A"
     "%252272f988bf-86f1-41af-91ab-2d7cd011db47%2522%252C%2522Oid%2522%253A"
     "%2522e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%2522%257D%26anon%3Dtrue&type=meetup-join"
     "&deeplinkId=1&directDl=true",
     "teams", MEETUP},
    {"https://teams.microsoft.com/dl/launcher/launcher.html?type=meetup-join&url=%2Fl"
     "%2Fmeetup-join%2F19%253Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2%2F0%3Fcontext%3D%257B"
     "%2522Tid%2522%253A%252272f988bf-86f1-41af-91ab-2d7cd011db47%2522%252C%2522Oid%2522%253A"
     "%2522e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%2522%257D",
     "teams", MEETUP},
    {"https://teams.microsoft.com/light-meetings/launch?agent=web&version=1&coords"
     "=eyJjb252ZXJzYXRpb25JZCI6IjE5Om1lZXRpbmdfTnpJME9UWXdZekl0WmpRMFpTMDBAdGhyZWFkLnYyIiwidGVuYW5"
     "0SWQiOiI3MmY5ODhiZi04NmYxLTQxYWYtOTFhYi0yZDdjZDAxMWRiNDciLCJvcmdhbml6ZXJJZCI6ImU0ZWM4ZjllLTB"
     "hNmItNGQ1ZS04ZjBhLTFiMmMzZDRlNWY2MCIsIm1lc3NhZ2VJZCI6IjAifQ%3D%3D&deeplinkId=1",
     "teams", MEETUP},
    {"https://teams.microsoft.com/light-meetings/launch?coords"
     "=eyJjb252ZXJzYXRpb25JZCI6IjE5Om1lZXRpbmdfTnpJME9UWXdZekl0WmpRMFpTMDBAdGhyZWFkLnYyIiwidGVuYW5"
     "0SWQiOiI3MmY5ODhiZi04NmYxLTQxYWYtOTFhYi0yZDdjZDAxMWRiNDciLCJvcmdhbml6ZXJJZCI6ImU0ZWM4ZjllLTB"
     "hNmItNGQ1ZS04ZjBhLTFiMmMzZDRlNWY2MCJ9",
     "teams", MEETUP},
    {"https://teams.microsoft.com/light-meetings/launch?coords"
     "=eyJjb252ZXJzYXRpb25JZCI6IjE5Om1lZXRpbmdfTnpJME9UWXdZekl0WmpRMFpTMDBAdGhyZWFkLnYyIiwidGVuYW5"
     "0SWQiOiI3MmY5ODhiZi04NmYxLTQxYWYtOTFhYi0yZDdjZDAxMWRiNDciLCJvcmdhbml6ZXJJZCI6ImU0ZWM4ZjllLTB"
     "hNmItNGQ1ZS04ZjBhLTFiMmMzZDRlNWY2MCIsIm1lc3NhZ2VJZCI6MH0%3D",
     "teams", MEETUP},
    {"https://teams.microsoft.com/light-meetings/launch?coords"
     "=eyJjb252ZXJzYXRpb25JZCI6IjE5Om1lZXRpbmdfTnpJME9UWXdZekl0WmpRMFpTMDBAdGhyZWFkLnYyIiwidGVuYW5"
     "0SWQiOiI3MmY5ODhiZi04NmYxLTQxYWYtOTFhYi0yZDdjZDAxMWRiNDciLCJvcmdhbml6ZXJJZCI6ImU0ZWM4ZjllLTB"
     "hNmItNGQ1ZS04ZjBhLTFiMmMzZDRlNWY2MCIsIm1lc3NhZ2VJZCI6IiJ9",
     "teams", MEETUP},
    {"https://teams.microsoft.com/light-meetings/launch?coords"
     "=eyJjb252ZXJzYXRpb25JZCI6IjE5Om1lZXRpbmdfTnpJME9UWXdZekl0WmpRMFpTMDBAdGhyZWFkLnYyIiwidGVuYW5"
     "0SWQiOiI3MmY5ODhiZi04NmYxLTQxYWYtOTFhYi0yZDdjZDAxMWRiNDciLCJvcmdhbml6ZXJJZCI6ImU0ZWM4ZjllLTB"
     "hNmItNGQ1ZS04ZjBhLTFiMmMzZDRlNWY2MCIsIm1lc3NhZ2VJZCI6IjAifQ",
     "teams", MEETUP},
    {"https://www.google.com/url?q=https%3A%2F%2Fteams.microsoft.com%2Fl%2Fmeetup-join%2F19"
     "%253Ameeting_NzI0OTYwYzItZjQ0ZS00%2540thread.v2%2F0%3Fcontext%3D%257B%2522Tid%2522%253A"
     "%252272f988bf-86f1-41af-91ab-2d7cd011db47%2522%252C%2522Oid%2522%253A"
     "%2522e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%2522%257D&sa=D",
     "teams", MEETUP},
    {"https://nam02.safelinks.protection.outlook.com/ap/t-59584e83/?url=https%3A%2F"
     "%2Fteams.microsoft.com%2Fl%2Fmeetup-join%2F19%253Ameeting_NzI0OTYwYzItZjQ0ZS00"
     "%2540thread.v2%2F0%3Fcontext%3D%257B%2522Tid%2522%253A"
     "%252272f988bf-86f1-41af-91ab-2d7cd011db47%2522%252C%2522Oid%2522%253A"
     "%2522e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%2522%257D&data=1&reserved=0",
     "teams", MEETUP},
    {"https://www.google.com/url?q=https%3A%2F%2Fteams.microsoft.com%2Fdl%2Flauncher"
     "%2Flauncher.html%3Furl%3D%252F_%2523%252Fl%252Fmeetup-join%252F19"
     "%25253Ameeting_NzI0OTYwYzItZjQ0ZS00%2540thread.v2%252F0%253Fcontext%253D%25257B%252522Tid"
     "%252522%25253A%25252272f988bf-86f1-41af-91ab-2d7cd011db47%252522%25252C%252522Oid%252522"
     "%25253A%252522e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%252522%25257D",
     "teams", MEETUP},
    {"https://teams.microsoft.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"
     "\\?context\\=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D",
     "teams", MEETUP},
    {"https://teams.microsoft.com/meet/2359876543210?p=AbC123xYz", "teams", WORK},
    {"teams.microsoft.com/meet/2359876543210?p=AbC123xYz", "teams", WORK},
    {"https://Teams.microsoft.com/meet/2359876543210?p=AbC123xYz", "teams", WORK},
    {"https://teams.microsoft.com/meet/2359876543210/?p=AbC123xYz", "teams", WORK},
    {"https://teams.microsoft.com/meet/2359876543210?p=AbC123xYz&launchAgent=x", "teams", WORK},
    {"https://teams.microsoft.com/meet/2359876543210?p=AbC123xYz#x", "teams", WORK},
    {"https://teams.microsoft.com/meet/2359876543210?anon&p=AbC123xYz", "teams", WORK},
    {"https://teams.microsoft.com/meet/2359876543210?&p=AbC123xYz&", "teams", WORK},
    {"<https://teams.microsoft.com/meet/2359876543210?p=AbC123xYz>", "teams", WORK},
    {"https%3A%2F%2Fteams.microsoft.com%2Fmeet%2F2359876543210%3Fp%3DAbC123xYz", "teams", WORK},
    {"https://teams.microsoft.com/light-meetings/launch?agent=web&coords"
     "=eyJtZWV0aW5nVXJsIjoiaHR0cHM6Ly90ZWFtcy5taWNyb3NvZnQuY29tL21lZXQvMjM1OTg3NjU0MzIxMD9wPUFiQzE"
     "yM3hZeiIsIm1lZXRpbmdDb2RlIjoiMjM1OTg3NjU0MzIxMCIsInBhc3Njb2RlIjoiQWJDMTIzeFl6In0%3D",
     "teams", WORK},
    {"https://teams.microsoft.com/light-meetings/launch?coords"
     "=eyJtZWV0aW5nVXJsIjoiaHR0cHM6Ly90ZWFtcy5taWNyb3NvZnQuY29tL21lZXQvMjM1OTg3NjU0MzIxMD9wPUFiQzE"
     "yM3hZeiJ9",
     "teams", WORK},
    {"https://teams.microsoft.com/dl/launcher/launcher.html?url=%2F_%23%2Fmeet%2F2359876543210"
     "%3Fp%3DAbC123xYz&type=meet",
     "teams", WORK},
    {"https://teams.microsoft.com/dl/launcher/launcher.html?url=%2Fmeet%2F2359876543210%3Fp"
     "%3DAbC123xYz",
     "teams", WORK},
    {"https://teams.microsoft.com/dl/launcher/launcher.html?url=https%3A%2F%2Fteams.microsoft.com"
     "%2Fmeet%2F2359876543210%3Fp%3DAbC123xYz",
     "teams", WORK},
    {"https://teams.microsoft.com/_#/meet/2359876543210?p=AbC123xYz", "teams", WORK},
    {"https://teams.live.com/meet/9357486291034?p=QwErTy12", "teams", LIVE},
    {"teams.live.com/meet/9357486291034?p=QwErTy12", "teams", LIVE},
    {"https://teams.live.com/dl/launcher/launcher.html?url=%2F_%23%2Fmeet%2F9357486291034%3Fp"
     "%3DQwErTy12%26anon%3Dtrue",
     "teams", LIVE},
    {"https://teams.live.com/light-meetings/launch?coords"
     "=eyJtZWV0aW5nQ29kZSI6IjkzNTc0ODYyOTEwMzQiLCJwYXNzY29kZSI6IlF3RXJUeTEyIn0%3D",
     "teams", LIVE},
    {"https://teams.microsoft.com/meet/2359876543210", "teams",
     "https://teams.microsoft.com/meet/2359876543210"},
    {"https://teams.microsoft.com/meet/2359876543210?p=", "teams",
     "https://teams.microsoft.com/meet/2359876543210"},
    {"https://teams.microsoft.com/meet/2359876543210/", "teams",
     "https://teams.microsoft.com/meet/2359876543210"},
    {"https://teams.live.com/meet/9357486291034", "teams",
     "https://teams.live.com/meet/9357486291034"},
    {"https://teams.cloud.microsoft/meet/2359876543210?p=x1", "teams",
     "https://teams.cloud.microsoft/meet/2359876543210?p=x1"},
    {"https://gov.teams.microsoft.us/meet/2359876543210?p=x1", "teams",
     "https://gov.teams.microsoft.us/meet/2359876543210?p=x1"},
    {"https://dod.teams.microsoft.us/meet/2359876543210?p=x1", "teams",
     "https://dod.teams.microsoft.us/meet/2359876543210?p=x1"},
    {"https://teams.microsoft.us/meet/2359876543210?p=x1", "teams",
     "https://teams.microsoft.us/meet/2359876543210?p=x1"},
    {"https://gov.teams.microsoft.us/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2"
     "/0?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D",
     "teams",
     "https://gov.teams.microsoft.us/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2"
     "/0?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D"},
    {"https://teams.live.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"
     "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D",
     "teams",
     "https://teams.live.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"
     "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D"},
    {"https://teams.microsoft.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0",
     "teams",
     "https://teams.microsoft.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"},
    {"https://teams.microsoft.com/l/meeting/details?eventId=AAMk", "teams",
     "https://teams.microsoft.com/l/meeting/details?eventId=AAMk"},
};

static const struct {
    const char *url, *says;
} bad[] = {
    {"", "URL"},
    {"https://[::1/abc", "URL"},
    {"https://", "URL"},
    {"://", "URL"},
    {"%68%74%74%70", "URL"},
    {"hello world", "host"},
    {"https://meet.google.com.evil.com/abc-defg-hij", "host"},
    {"https://evil.com/?u=meet.google.com/abc-defg-hij", "host"},
    {"https://xmeet.google.com/abc-defg-hij", "host"},
    {"https://www.meet.google.com/abc-defg-hij", "host"},
    {"https://meet.google.com./abc-defg-hij", "host"},
    {"https://meet-google.com/abc-defg-hij", "host"},
    {"https://evil.com%2F.teams.microsoft.com/meet/2359876543210", "host"},
    {"https://evil.com%252F.teams.microsoft.com/meet/2359876543210", "host"},
    {"https://evil.com%23.zoom.us/j/81234567890", "host"},
    {"https://evil.com%5C.zoom.us/wc/81234567890/join", "host"},
    {"https://v2%2F..teams.microsoft.com/l/meeting/r", "host"},
    {"https://a..zoom.us/j/81234567890", "host"},
    {"https://.teams.microsoft.com/meet/2359876543210", "host"},
    {"https://evil_com.zoom.us/j/81234567890", "host"},
    {"https://www.google.com/search?q=meet.google.com/abc-defg-hij", "host"},
    {"https://g.co/meet/x", "host"},
    {"https://meet.google.co/abc-defg-hij", "host"},
    {"https://meet.goog1e.com/abc-defg-hij", "host"},
    {"https://teams.microsoft.com.evil.com/meet/2359876543210", "host"},
    {"https://xteams.microsoft.com/meet/2359876543210", "host"},
    {"https://teams-microsoft.com/meet/2359876543210", "host"},
    {"https://microsoft.com/meet/2359876543210", "host"},
    {"https://teams.microsoft.co/meet/2359876543210", "host"},
    {"https://teams.microsoft.com./meet/2359876543210", "host"},
    {"https://evil.com/teams.microsoft.com/meet/2359876543210", "host"},
    {"https://evil.com/?x=teams.microsoft.com", "host"},
    {"https://teams.live.com.evil.com/meet/935", "host"},
    {"https://cloud.microsoft/meet/2359876543210", "host"},
    {"https://example.com/#teams.microsoft.com/l/meetup-join", "host"},
    {"https://teams.microsoft.comevil.com/meet/1", "host"},
    {"https://localhost/meet/2359876543210", "host"},
    {"https://127.0.0.1/meet/2359876543210", "host"},
    {"https://[::1]/meet/2359876543210", "host"},
    {"Join%20here", "host"},
    {"please join teams", "host"},
    {"http://meet.google.com/abc-defg-hij", "https"},
    {"ftp://meet.google.com/abc-defg-hij", "https"},
    {"javascript://meet.google.com/abc-defg-hij", "https"},
    {"http://teams.microsoft.com/meet/2359876543210", "https"},
    {"msteams://teams.microsoft.com/l/meetup-join/x", "https"},
    {"jhttps://meet.google.com/abc-defg-hij", "https"},
    {"https://www.google.com/url?q=http://meet.google.com/abc-defg-hij", "https"},
    {"file:///etc/passwd", "https"},
    {"https://www.google.com/url?q=http%3A%2F%2Fteams.microsoft.com%2Fmeet%2F2359876543210",
     "https"},
    {"https://user@meet.google.com/abc-defg-hij", "user name"},
    {"https://meet.google.com@evil.com/abc-defg-hij", "user name"},
    {"https://u:p@teams.microsoft.com/meet/2359876543210", "user name"},
    {"https://teams.microsoft.com@evil.com/meet/2359876543210", "user name"},
    {"https://teams.microsoft.com%40evil.com@evil.com/meet/1", "user name"},
    {"https://@teams.microsoft.com/meet/2359876543210", "user name"},
    {"https://meet.google.com:443/abc-defg-hij", "port"},
    {"https://meet.google.com:8443/abc-defg-hij", "port"},
    {"https://teams.microsoft.com:443/meet/2359876543210", "port"},
    {"https://teams.microsoft.com:8080/meet/2359876543210", "port"},
    {"https://meet.google.com/", "code"},
    {"https://meet.google.com/new", "code"},
    {"https://meet.google.com/abc-defg-hijk", "code"},
    {"https://meet.google.com/abc-defg-hi", "code"},
    {"https://meet.google.com/abc-d3fg-hij", "code"},
    {"https://meet.google.com/abcdefghij", "code"},
    {"https://meet.google.com/abc-defg-hij/x", "code"},
    {"https://meet.google.com//abc-defg-hij", "code"},
    {"https://meet.google.com/lookup/abcdef", "/lookup/"},
    {"https://meet.google.com/abc-defg-hij?u=https://evil.com", "second URL"},
    {"https://meet.google.com/abc-defg-hij?u=https%3A%2F%2Fevil.com", "second URL"},
    {"https://meet.google.com/abc-defg-hij?u=https%253A%252F%252Fevil.com", "second URL"},
    {"https://meet.google.com/abc-defg-hij?u=aHR0cHM6Ly9ldmlsLmNvbS8", "second URL"},
    {"https://meet.google.com/abc-defg-hij#aHR0cHM6Ly9ldmlsLmNvbS8=", "second URL"},
    {"https://www.google.com/url?q=https://www.google.com/url?q=https://meet.google.com"
     "/abc-defg-hij",
     "second URL"},
    {"https://teams.microsoft.com/meet/2359876543210?p=AbC123xYz&u=https://evil.com", "second URL"},
    {"https://teams.microsoft.com/meet/2359876543210?p=AbC123xYz&u=https%3A%2F%2Fevil.com",
     "second URL"},
    {"https://teams.microsoft.com/meet/2359876543210?p=AbC123xYz#https://evil.com", "second URL"},
    {"https://teams.microsoft.com/meet/2359876543210?p=AbC123xYz&x=aHR0cHM6Ly9ldmlsLmNvbS8",
     "second URL"},
    {"https://teams.microsoft.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"
     "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0a-1b2c3d4e5f60%22%7D&r=http%253A%252F%252Fevil.com",
     "second URL"},
    {"https://teams.microsoft.com/dl/launcher/launcher.html?url=https%3A%2F%2Fevil.com%2Fmeet"
     "%2F2359876543210",
     "second URL"},
    {"https://teams.microsoft.com/dl/launcher/launcher.html?url=%2F_%23%2Fmeet%2F2359876543210"
     "%3Fp%3Dx%26u%3Dhttps%3A%2F%2Fevil.com",
     "second URL"},
    {"https://teams.microsoft.com/dl/launcher/launcher.html?url=https%3A%2F"
     "%2Fteams.microsoft.com.evil.com%2Fmeet%2F2359876543210",
     "second URL"},
    {"https://teams.microsoft.com/light-meetings/launch?coords"
     "=eyJtZWV0aW5nVXJsIjoiaHR0cHM6Ly9ldmlsLmNvbS9tZWV0LzEifQ%3D%3D",
     "second URL"},
    {"https://www.google.com/url?q=https%3A%2F%2Fevil.com%2Fmeet%2F2359876543210", "host"},
    {"https://www.google.com/url?sa=D", "target"},
    {"https://eur01.safelinks.protection.outlook.com/?data=1", "target"},
    {"https://teams.microsoft.com/meet/", "id after it"},
    {"https://teams.microsoft.com/meet/12", "id after it"},
    {"https://teams.microsoft.com/meet/235-987", "id after it"},
    {"https://teams.microsoft.com/meet/2359876543210/x", "id after it"},
    {"https://teams.microsoft.com/meet/..%2f..%2fx", "id after it"},
    {"https://teams.microsoft.com/meet//2359876543210", "id after it"},
    {"https://teams.microsoft.com/l/channel/19%3Aabc%40thread.tacv2/General", "not into a meeting"},
    {"https://teams.microsoft.com/l/team/19%3Aabc", "not into a meeting"},
    {"https://teams.microsoft.com/l/chat/0/0?users=a", "not into a meeting"},
    {"https://teams.microsoft.com/l/message/19:abc/1", "not into a meeting"},
    {"https://teams.microsoft.com/l/entity/x/y", "not into a meeting"},
    {"https://teams.microsoft.com/l/app/x", "not into a meeting"},
    {"https://teams.microsoft.com/l/file/x", "not into a meeting"},
    {"https://teams.microsoft.com/l/task/x", "not into a meeting"},
    {"https://teams.microsoft.com/_#/l/channel/19:x", "not into a meeting"},
    {"https://teams.microsoft.com/", "path is"},
    {"https://teams.microsoft.com/123", "path is"},
    {"https://teams.microsoft.com/_", "path is"},
    {"https://teams.microsoft.com/_#/conversations", "path is"},
    {"https://teams.microsoft.com/MEET/2359876543210", "path is"},
    {"https://teams.microsoft.com/L/meetup-join/x", "path is"},
    {"https://teams.live.com/free", "path is"},
    {"https://teams.microsoft.com/v2/?meetingjoin=true", "path is"},
    {"https://teams.microsoft.com/dl/launcher/launcher.html?type=meetup-join", "path is"},
    {"https://teams.microsoft.com/l/meetup-join/", "thread"},
    {"https://teams.microsoft.com/l/meetup-join/abc/0", "thread"},
    {"https://teams.microsoft.com/l/meetup-join/19:x@thread.v2/0/9/8", "thread"},
    {"https://teams.microsoft.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"
     "?context=%7B%22Tid%22%3A%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2C%22Oid%22%3A"
     "%22e4ec8f9e-0a6b-4d5e-8f0",
     "context"},
    {"https://teams.microsoft.com/l/meetup-join/19%3Ameeting_NzI0OTYwYzItZjQ0ZS00%40thread.v2/0"
     "?context=x",
     "context"},
    {"https://teams.microsoft.com/light-meetings/launch", "coords"},
    {"https://teams.microsoft.com/light-meetings/launch?coords=", "coords"},
    {"https://teams.microsoft.com/light-meetings/launch?coords=!!!", "coords"},
    {"https://teams.microsoft.com/light-meetings/launch?coords=eyJ4IjoxfQ%3D%3D", "coords"},
    {"https://teams.microsoft.com/light-meetings/launch?coords=WzFd", "coords"},
};

static void test_accepted(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        const char *name = NULL;
        g_autofree char *url = NULL, *again = NULL;
        g_test_message("%s", good[i].url);
        platform_check_url(good[i].url, &name, &url, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(name, ==, good[i].platform);
        g_assert_cmpstr(url, ==, good[i].canonical);
        g_assert_true(platform_check_url(url, NULL, &again, NULL));
        g_assert_cmpstr(again, ==, url); /* what comes out stays as it is */
    }
}

static void test_refused_with_the_rule(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        char *url = NULL;
        g_test_message("%s", bad[i].url);
        g_assert_false(platform_check_url(bad[i].url, NULL, &url, &error));
        g_assert_error(error, PLATFORM_ERROR, PLATFORM_ERROR_URL);
        g_test_message("-> %s", error->message);
        g_assert_nonnull(strstr(error->message, bad[i].says));
        g_assert_null(url);
    }
}

static void test_there_are_many_cases(void)
{
    g_assert_cmpuint(G_N_ELEMENTS(good) + G_N_ELEMENTS(bad), >=, 120);
}

static void test_endless_text_is_refused(void)
{
    g_autofree char *tail = g_strnfill(5000, 'a');
    g_autofree char *url = g_strconcat(MEET "?x=", tail, NULL);
    g_assert_false(platform_check_url(url, NULL, NULL, NULL));
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/url/accepted", test_accepted);
    g_test_add_func("/url/refused_with_the_rule", test_refused_with_the_rule);
    g_test_add_func("/url/there_are_many_cases", test_there_are_many_cases);
    g_test_add_func("/url/endless_text_is_refused", test_endless_text_is_refused);
    return g_test_run();
}
