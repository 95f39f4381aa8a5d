/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/status_line.h"

#include "bot/log.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_MS 200
#define METER_CELLS 12
#define METER_FLOOR_DB (-48.0)

struct BotStatusLine {
    BotSession *session; /* borrowed */
    guint timer_id;
    bool terminal;
    BotState last_state;
    bool shown;
};

static BotStatusLine *the_line; /* the log steps around it */

static void append_meter(GString *text, double level_db)
{
    double part = (level_db - METER_FLOOR_DB) / -METER_FLOOR_DB;
    int cells = (int)(CLAMP(part, 0.0, 1.0) * METER_CELLS + 0.5);
    for (int i = 0; i < METER_CELLS; i++) {
        g_string_append(text, i < cells ? "▮" : "▯");
    }
}

/* Names are the meeting's: control characters must not reach the terminal. */
static char *printable(const char *name)
{
    GString *text = g_string_new(NULL);
    for (const char *c = name; *c != '\0'; c = g_utf8_next_char(c)) {
        gunichar point = g_utf8_get_char(c);
        g_string_append_unichar(text, g_unichar_isprint(point) ? point : 0xfffd);
    }
    return g_string_free(text, FALSE);
}

static char *cut_to(char *text, guint columns)
{
    GString *cut = g_string_new(NULL);
    guint width = 0;
    for (const char *c = text; *c != '\0'; c = g_utf8_next_char(c)) {
        gunichar point = g_utf8_get_char(c);
        guint cells = g_unichar_iszerowidth(point) ? 0 : g_unichar_iswide(point) ? 2 : 1;
        if (width + cells > columns) {
            break;
        }
        width += cells;
        g_string_append_unichar(cut, point);
    }
    g_free(text);
    return g_string_free(cut, FALSE);
}

char *bot_status_line_format(const BotSessionStatus *status, guint columns)
{
    GString *text = g_string_new(NULL);
    bool recording = status->state == BOT_STATE_JOINED_RECORDING;
    guint seconds = (guint)status->recorded_s;
    g_string_append_printf(text, "%s %s", recording ? "●" : "○",
                           bot_state_to_string(status->state));
    g_string_append_printf(text, "  %02u:%02u:%02u", seconds / 3600, seconds / 60 % 60,
                           seconds % 60);
    g_string_append_printf(text, "  %u in the call  ", status->n_participants);
    append_meter(text, status->level_db);
    if (status->n_warnings > 0) {
        g_string_append_printf(text, "  %u warning%s", status->n_warnings,
                               status->n_warnings > 1 ? "s" : "");
    }
    if (status->speaker != NULL) {
        g_autofree char *name = printable(status->speaker);
        g_string_append_printf(text, "  %s speaks", name);
    }
    return cut_to(g_string_free(text, FALSE), columns);
}

static void erase(void)
{
    if (the_line != NULL && the_line->shown) {
        fputs("\r\033[K", stderr);
        the_line->shown = false;
    }
}

static guint terminal_columns(void)
{
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col - 1u : 79u;
}

static void draw(BotStatusLine *line)
{
    BotSessionStatus status;
    bot_session_get_status(line->session, &status);
    if (line->terminal) {
        g_autofree char *text = bot_status_line_format(&status, terminal_columns());
        fprintf(stderr, "\r\033[K%s", text);
        line->shown = true;
    } else if (status.state != line->last_state) {
        fprintf(stderr, "%s\n", bot_state_to_string(status.state));
    }
    fflush(stderr);
    line->last_state = status.state;
}

static void redraw(void)
{
    if (the_line != NULL && the_line->terminal) {
        draw(the_line);
    }
}

static gboolean on_timer(gpointer user_data)
{
    draw(user_data);
    return G_SOURCE_CONTINUE;
}

BotStatusLine *bot_status_line_new(BotSession *session)
{
    BotStatusLine *line = g_new0(BotStatusLine, 1);
    line->session = session;
    line->terminal = isatty(STDERR_FILENO) == 1;
    line->last_state = BOT_N_STATES;
    line->timer_id = g_timeout_add(REDRAW_MS, on_timer, line);
    the_line = line;
    bot_log_set_hooks(erase, redraw);
    return line;
}

void bot_status_line_free(BotStatusLine *line)
{
    bot_log_set_hooks(NULL, NULL);
    draw(line);
    if (line->terminal) {
        fputc('\n', stderr);
    }
    the_line = NULL;
    g_source_remove(line->timer_id);
    g_free(line);
}
