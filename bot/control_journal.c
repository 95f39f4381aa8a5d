/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/control_journal.h"

#include "platforms/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_UNDER_WAY 500

typedef struct {
    gint64 seq;
    gsize bytes;
    char *event; /* owned */
} Entry;

struct BotControlJournal {
    char *path;     /* owned; NULL: no log yet */
    GQueue entries; /* of owned Entry: not acknowledged, in order */
    gsize bytes, max_bytes;
    guint n_sent; /* entries from the head that were sent on this connection */
    gint64 acked_seq, last_seq;
    bool spilled;     /* newer events stand only in the log */
    long spill_place; /* where in the log the reading goes on */
};

static void entry_free(gpointer data)
{
    Entry *entry = data;
    g_free(entry->event);
    g_free(entry);
}

BotControlJournal *bot_control_journal_new(gsize max_bytes)
{
    BotControlJournal *journal = g_new0(BotControlJournal, 1);
    journal->max_bytes = max_bytes;
    g_queue_init(&journal->entries);
    return journal;
}

void bot_control_journal_free(BotControlJournal *journal)
{
    g_queue_clear_full(&journal->entries, entry_free);
    g_free(journal->path);
    g_free(journal);
}

void bot_control_journal_open(BotControlJournal *journal, const char *path, gint64 last_seq)
{
    journal->path = g_strdup(path);
    journal->last_seq = last_seq;
    journal->spilled = last_seq > 0;
}

static void append(BotControlJournal *journal, gint64 seq, const char *event, gsize bytes)
{
    Entry *entry = g_new0(Entry, 1);
    *entry = (Entry){seq, bytes, g_strndup(event, bytes)};
    g_queue_push_tail(&journal->entries, entry);
    journal->bytes += bytes;
}

void bot_control_journal_add(BotControlJournal *journal, gint64 seq, const char *event)
{
    gsize bytes = strlen(event);
    journal->last_seq = seq;
    if (journal->path != NULL && journal->bytes + bytes > journal->max_bytes) {
        journal->spilled = true;
    }
    if (!journal->spilled) {
        append(journal, seq, event, bytes);
    }
}

static gint64 seq_of(const char *line, gsize length)
{
    g_autoptr(JsonObject) object = platform_json_parse(line, length, NULL);
    return platform_json_int(object, "seq", 0);
}

static gint64 newest_in_memory(BotControlJournal *journal)
{
    const Entry *last = g_queue_peek_tail(&journal->entries);
    return last != NULL ? last->seq : journal->acked_seq;
}

/* One line of the log; false: no room for it. */
static bool take_line(BotControlJournal *journal, const char *line, gsize length)
{
    gint64 seq = seq_of(line, length);
    if (seq <= newest_in_memory(journal)) {
        return true; /* known already, or a line that a dying worker cut */
    }
    if (journal->bytes > 0 && journal->bytes + length > journal->max_bytes) {
        return false;
    }
    append(journal, seq, line, length);
    return true;
}

/* Bring back from the log what memory has room for. */
static void refill(BotControlJournal *journal)
{
    FILE *file = fopen(journal->path, "re");
    if (file == NULL || fseek(file, journal->spill_place, SEEK_SET) != 0) {
        g_message("%s can't be read again: the orchestrator will miss events", journal->path);
        journal->spilled = false;
        g_clear_pointer(&file, fclose);
        return;
    }
    char *line = NULL;
    size_t room = 0;
    ssize_t length = 0;
    bool fits = true;
    while (fits && (length = getline(&line, &room, file)) > 0 && line[length - 1] == '\n') {
        fits = take_line(journal, line, (gsize)length - 1);
        if (fits) {
            journal->spill_place = ftell(file);
        }
    }
    journal->spilled = !fits;
    free(line);
    (void)fclose(file);
}

bool bot_control_journal_ack(BotControlJournal *journal, gint64 seq)
{
    if (seq > journal->last_seq) {
        return false;
    }
    const Entry *first;
    while ((first = g_queue_peek_head(&journal->entries)) != NULL && first->seq <= seq) {
        journal->bytes -= first->bytes;
        journal->n_sent -= MIN(journal->n_sent, 1u);
        entry_free(g_queue_pop_head(&journal->entries));
    }
    journal->acked_seq = MAX(journal->acked_seq, seq);
    return true;
}

const char *bot_control_journal_next(BotControlJournal *journal)
{
    if (journal->n_sent >= MAX_UNDER_WAY) {
        return NULL;
    }
    if (journal->spilled && journal->n_sent == journal->entries.length &&
        journal->bytes <= journal->max_bytes / 2) {
        refill(journal);
    }
    const Entry *entry = g_queue_peek_nth(&journal->entries, journal->n_sent);
    if (entry == NULL) {
        return NULL;
    }
    journal->n_sent++;
    return entry->event;
}

void bot_control_journal_rewind(BotControlJournal *journal)
{
    journal->n_sent = 0;
}

bool bot_control_journal_is_waiting(BotControlJournal *journal)
{
    return journal->n_sent > 0;
}

bool bot_control_journal_is_empty(BotControlJournal *journal)
{
    return journal->entries.length == 0 &&
           (!journal->spilled || journal->acked_seq >= journal->last_seq);
}

gint64 bot_control_journal_get_last_seq(BotControlJournal *journal)
{
    return journal->last_seq;
}
