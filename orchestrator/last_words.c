/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/last_words.h"

#include "base/text.h"
#include "orchestrator/json.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_READ (16 * 1024)
#define MAX_CHARS 300
#define WORKER "steno-worker: "

static char *blot(const char *line)
{
    static const char *const secrets[] = {
        "\\?[^\\s\"']+",              /* a URL's query */
        "(?i)(?<=bearer )\\S+",       /* a header */
        "(?i)(?<=token[=:])\\s*\\S+", /* a field */
        "(?i)(?<=passcode[=:])\\s*\\S+",
        "(?i)(?<=://)[^/@\\s]+(?=@)", /* a user and a password */
    };
    char *text = g_strdup(line);
    for (gsize i = 0; i < G_N_ELEMENTS(secrets); i++) {
        g_autoptr(GRegex) regex =
            g_regex_new(secrets[i], G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT, NULL);
        g_assert(regex != NULL);
        char *blotted = g_regex_replace_literal(regex, text, -1, 0, i == 0 ? "?***" : "***",
                                                G_REGEX_MATCH_DEFAULT, NULL);
        if (blotted != NULL) {
            g_free(text);
            text = blotted;
        }
    }
    g_autofree char *whole = text;
    return base_text_cut(whole, MAX_CHARS);
}

/* (transfer full): the message of a line of the log, if it is a warning or worse. */
static char *read_warning(const char *line)
{
    g_autoptr(JsonObject) object = orch_json_parse_object(line, strlen(line), NULL);
    const char *level = object != NULL ? orch_json_string(object, "level") : NULL;
    bool bad = level != NULL && strcmp(level, "debug") != 0 && strcmp(level, "info") != 0 &&
               strcmp(level, "message") != 0;
    return bad ? g_strdup(orch_json_string(object, "message")) : NULL;
}

char *orch_last_words_of(const char *text, gsize length)
{
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)length);
    g_auto(GStrv) lines = g_strsplit(valid, "\n", -1);
    g_autofree char *warning = NULL, *last = NULL;
    for (guint i = g_strv_length(lines); i-- > 0;) {
        const char *line = g_strstrip(lines[i]);
        if (g_str_has_prefix(line, WORKER)) {
            return blot(line + strlen(WORKER));
        }
        bool is_log = *line == '{';
        if (is_log && warning == NULL) {
            warning = read_warning(line);
        }
        if (!is_log && *line != '\0' && last == NULL) {
            last = g_strdup(line);
        }
    }
    const char *words = warning != NULL ? warning : last;
    return words != NULL ? blot(words) : NULL;
}

char *orch_last_words(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat status;
    if (fd < 0) {
        return NULL;
    }
    char *words = NULL;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        g_autofree char *buffer = g_malloc(MAX_READ);
        ssize_t n = pread(fd, buffer, MAX_READ, MAX(status.st_size - MAX_READ, 0));
        words = n > 0 ? orch_last_words_of(buffer, (gsize)n) : NULL;
    }
    (void)close(fd);
    return words;
}
