/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/config.h"

static const char *const modes[] = {"speaker_view", "gallery_view", "audio_only", NULL};
static const char *const resolutions[] = {"720p", "1080p", "auto", NULL};
static const char *const encoders[] = {"auto", "x264", "openh264", "vaapi", "nvenc", NULL};
static const char *const captures[] = {"auto", "tap", "screen", NULL};
static const char *const frequencies[] = {"16khz", "24khz", "32khz", "48khz", NULL};
static const char *const directions[] = {"guide", "service", NULL};
static const char *const formats[] = {"raw", "attendee", NULL};

#define STRING(path, flags, max, fallback, help)                                                   \
    {                                                                                              \
        path, BOT_FIELD_STRING, flags, 1, max, NULL, NULL, fallback, help                          \
    }
#define CHOICE(path, choices, fallback, help)                                                      \
    {                                                                                              \
        path, BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, 64, choices, NULL, fallback, help              \
    }
#define URL(path, flags, schemes, help)                                                            \
    {                                                                                              \
        path, BOT_FIELD_STRING, (BotFieldFlags)(BOT_FIELD_URL | (flags)), 1, 8192, NULL, schemes,  \
            NULL, help                                                                             \
    }
#define INT(path, flags, min, max, fallback, help)                                                 \
    {                                                                                              \
        path, BOT_FIELD_INT, flags, min, max, NULL, NULL, fallback, help                           \
    }
#define BOOL(path, flags, fallback, help)                                                          \
    {                                                                                              \
        path, BOT_FIELD_BOOL, flags, 0, 0, NULL, NULL, fallback, help                              \
    }
#define OBJECT(path, help)                                                                         \
    {                                                                                              \
        path, BOT_FIELD_OBJECT, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL, help                      \
    }
#define OTHER(path, type, flags, help)                                                             \
    {                                                                                              \
        path, type, flags, 0, 0, NULL, NULL, NULL, help                                            \
    }

#define WEEK_S (7 * 24 * 3600)

/* clang-format off: one field a line */
const BotField bot_config_fields[] = {
    STRING("bot_id", BOT_FIELD_PLAIN, 64, NULL,
           "letters, digits, '-' and '_'; a new UUID when absent"),
    STRING("output_dir", BOT_FIELD_PLAIN, 4000, NULL,
           "folder of the artifacts; recordings/<bot_id> when absent"),
    STRING("meeting_url", (BotFieldFlags)(BOT_FIELD_REQUIRED | BOT_FIELD_URL), 8192, NULL,
           "URL of the meeting"),
    STRING("bot_name", BOT_FIELD_PLAIN, 100, "\"Steno\"", "name that the bot shows"),
    CHOICE("recording_mode", modes, "\"speaker_view\"", "what the recording shows"),
    STRING("entry_message", BOT_FIELD_PLAIN, 4096, NULL, "chat message on admission"),
    URL("bot_image", BOT_FIELD_PLAIN, "http https",
        "picture that the bot shows: PNG, JPEG or WebP"),
    STRING("bot_image_file", BOT_FIELD_PLAIN, 4000, NULL, "the same from a file on this machine"),
    BOOL("bot_image_private", BOT_FIELD_PLAIN, "false", "bot_image may lie at a private address"),
    BOOL("reserved", BOT_FIELD_UNUSED, NULL, "read by the orchestrator"),
    OTHER("speech_to_text", BOT_FIELD_ANY, BOT_FIELD_UNUSED, "read by the orchestrator"),
    OTHER("deduplication_key", BOT_FIELD_ANY, BOT_FIELD_UNUSED, "read by the orchestrator"),
    OTHER("start_time", BOT_FIELD_ANY, BOT_FIELD_UNUSED, "read by the orchestrator"),
    OTHER("extra", BOT_FIELD_ANY, BOT_FIELD_PLAIN, "kept as it is and sent with the final webhook"),

    OBJECT("automatic_leave", "when the bot goes by itself"),
    INT("automatic_leave.waiting_room_timeout", BOT_FIELD_PLAIN, 1, WEEK_S, "600",
        "seconds in the waiting room"),
    INT("automatic_leave.noone_joined_timeout", BOT_FIELD_PLAIN, 1, WEEK_S, "600",
        "seconds until somebody must have joined"),
    INT("automatic_leave.silence_timeout", BOT_FIELD_PLAIN, 1, WEEK_S, "600",
        "seconds without speech"),
    INT("automatic_leave.silence_activate_after", BOT_FIELD_PLAIN, 0, WEEK_S, "0",
        "seconds in the call before silence counts"),
    INT("automatic_leave.alone_timeout", BOT_FIELD_PLAIN, 1, WEEK_S, "60",
        "seconds after the others left"),
    INT("automatic_leave.max_duration", BOT_FIELD_PLAIN, 1, WEEK_S, "14400", "seconds in the call"),
    OTHER("automatic_leave.ignored_names", BOT_FIELD_STRINGS, BOT_FIELD_PLAIN,
          "words in the names of those who are no company"),

    OBJECT("recording", "the recording"),
    CHOICE("recording.resolution", resolutions, "\"720p\"", "size of the picture"),
    INT("recording.fps", BOT_FIELD_PLAIN, 5, 30, "25", "pictures a second at most"),
    INT("recording.video_bitrate", BOT_FIELD_PLAIN, 0, 20000000, "0",
        "bits a second; 0 for constant quality"),
    INT("recording.quality", BOT_FIELD_PLAIN, 15, 40, "24",
        "quantizer of constant quality, as x264 counts: smaller is better and larger"),
    CHOICE("recording.encoder", encoders, "\"auto\"", "H.264 encoder"),
    CHOICE("recording.capture", captures, "\"auto\"", "how pictures are taken"),
    BOOL("recording.separate_audio", BOT_FIELD_PLAIN, "false", "a track for each participant"),
    BOOL("recording.audio_wav", BOT_FIELD_PLAIN, "false", "audio.wav beside the recording"),
    INT("recording.screenshots", BOT_FIELD_PLAIN, 0, 3600, "0",
        "seconds between pictures in screenshots/; 0 for none"),
    BOOL("recording.chapters", BOT_FIELD_PLAIN, "false", "chapters by speaker turn"),

    OBJECT("streaming", "live audio"),
    URL("streaming.input", BOT_FIELD_PLAIN, "ws wss",
        "WebSocket that receives the meeting's audio"),
    URL("streaming.output", BOT_FIELD_PLAIN, "ws wss", "WebSocket that supplies the bot's speech"),
    CHOICE("streaming.audio_frequency", frequencies, "\"24khz\"", "sample rate of the PCM"),
    INT("streaming.frame_ms", BOT_FIELD_PLAIN, 10, 100, "20", "milliseconds of PCM in a message"),
    CHOICE("streaming.directions", directions, "\"guide\"", "which way input and output go"),
    BOOL("streaming.allow_insecure", BOT_FIELD_PLAIN, "false",
         "ws:// to hosts other than loopback"),
    OTHER("streaming.headers", BOT_FIELD_HEADERS, BOT_FIELD_SECRET,
          "HTTP headers of the handshake"),
    STRING("streaming.token", BOT_FIELD_SECRET, 4096, NULL,
           "sent in the handshake as Authorization: Bearer"),
    BOOL("streaming.per_participant", BOT_FIELD_PLAIN, "false",
         "every participant's audio alone, beside the mix"),
    CHOICE("streaming.format", formats, "\"raw\"", "form of the messages"),
    INT("streaming.replay_s", BOT_FIELD_PLAIN, 0, 600, "0", "seconds sent again after a reconnect"),

    OBJECT("browser", "Chromium"),
    STRING("browser.executable", BOT_FIELD_PLAIN, 4000, NULL, "path of Chromium"),
    OTHER("browser.args", BOT_FIELD_STRINGS, BOT_FIELD_PLAIN, "further command-line arguments"),
    STRING("browser.profile_dir", BOT_FIELD_PLAIN, 4000, NULL, "profile folder of a signed-in bot"),
    STRING("browser.cookies_file", BOT_FIELD_PLAIN, 4000, NULL, "file of cookies to set"),
    BOOL("browser.signed_in", BOT_FIELD_PLAIN, "false",
         "the profile or the cookies are a signed-in account's: a page that shows otherwise gives "
         "the warning signed_out"),
    STRING("browser.host_rules", BOT_FIELD_PLAIN, 4000, NULL, "Chromium's host resolver rules"),
    STRING("browser.trusted_spki", BOT_FIELD_PLAIN, 4000, NULL,
           "base64 SHA-256 of a certificate's public key"),
    STRING("browser.address_space_overrides", BOT_FIELD_PLAIN, 4000, NULL,
           "Chromium's IP address space overrides"),
    BOOL("browser.sandbox", BOT_FIELD_PLAIN, "true", "Chromium's own sandbox"),
    BOOL("browser.headless", BOT_FIELD_PLAIN, "true", "no window"),

    STRING("null_dir", BOT_FIELD_PLAIN, 4000, NULL,
           "folder of the documents of null: meetings, which need no browser; they are refused "
           "without it"),
    OBJECT("proxy", "instead of the environment's http_proxy, https_proxy and no_proxy"),
    STRING("proxy.http", BOT_FIELD_SECRET, 2000, NULL, "http://HOST:PORT, for http: and ws:"),
    STRING("proxy.https", BOT_FIELD_SECRET, 2000, NULL, "http://HOST:PORT, for https: and wss:"),
    OTHER("proxy.no_proxy", BOT_FIELD_STRINGS, BOT_FIELD_PLAIN,
          "hosts, addresses and nets that are reached without"),

    OBJECT("upload", "where the artifacts go"),
    URL("upload.put_url", BOT_FIELD_PLAIN, "http https", "presigned URL that takes the recording"),
    OTHER("upload.headers", BOT_FIELD_HEADERS, BOT_FIELD_SECRET,
          "HTTP headers of the PUT to put_url"),
    OBJECT("upload.s3", "a bucket that takes every artifact"),
    URL("upload.s3.endpoint", BOT_FIELD_PLAIN, "http https",
        "of the store, without a path; Amazon's of the region when absent"),
    STRING("upload.s3.region", BOT_FIELD_PLAIN, 64, "\"us-east-1\"", "region that signs"),
    STRING("upload.s3.bucket", BOT_FIELD_PLAIN, 255, NULL, "name of the bucket"),
    STRING("upload.s3.prefix", BOT_FIELD_PLAIN, 900, NULL,
           "stands before each name; \"<bot_id>/\" when absent"),
    BOOL("upload.s3.path_style", BOT_FIELD_PLAIN, "false",
         "endpoint/bucket/name instead of bucket.endpoint/name"),
    STRING("upload.s3.access_key", BOT_FIELD_PLAIN, 256, NULL, "id of the access key"),
    STRING("upload.s3.secret_key", BOT_FIELD_SECRET, 1024, NULL, "the key itself"),
    STRING("upload.s3.session_token", BOT_FIELD_SECRET, 8192, NULL, "of temporary credentials"),
    BOOL("upload.delete_after", BOT_FIELD_PLAIN, "false",
         "delete each local file once the store confirmed it"),
    URL("webhook_url", BOT_FIELD_PLAIN, "http https", "receives the status of the bot"),
    STRING("webhook_api_key", BOT_FIELD_SECRET, 4096, NULL, "sent as x-meeting-baas-api-key"),
    URL("control_url", BOT_FIELD_PLAIN, "ws wss", "the orchestrator's WebSocket"),
    STRING("control_token", BOT_FIELD_SECRET, 4096, NULL, "bearer token of the control link"),
    STRING("worker_id", BOT_FIELD_PLAIN, 200, NULL, "what the worker calls itself on that link"),
    INT("rejoin_attempts", BOT_FIELD_PLAIN, 0, 10, "3",
        "how often to join again when the page or the network is lost in the call"),
    INT("shutdown_grace_s", BOT_FIELD_PLAIN, 5, 3600, "50", "seconds from SIGTERM to the end"),
    {NULL, BOT_FIELD_ANY, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL, NULL},
};
/* clang-format on */
