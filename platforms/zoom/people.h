/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/platform.h"

/*
 * Who is in a Zoom meeting, as far as its page shows: names, read again and again. A name is all
 * that tells people apart, so two of one name are two people, but neither of them is ever said to
 * speak. No I/O, no clock. Its events may drop the last reference to whoever owns it only if that
 * owner outlives the call.
 */

typedef struct ZoomPeople ZoomPeople;

typedef struct {
    void (*on_participant)(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data);
    void (*on_source)(const PlatformSource *source, gpointer user_data);
} ZoomPeopleEvents;

/* One line of the list, or one tile. */
typedef struct {
    const char *name; /* borrowed; "" is passed over */
    bool is_host, is_self, muted;
} ZoomRow;

/* How much a reading says of those who are not in it. */
typedef enum {
    ZOOM_READ_TILES,    /* nothing of their state either: tiles have only names */
    ZOOM_READ_PART,     /* a part of a long list */
    ZOOM_READ_COMPLETE, /* they are not there */
} ZoomReading;

/** @own_name: where no line is marked as the bot's own, the one of this name is. */
ZoomPeople *zoom_people_new(const char *own_name, const ZoomPeopleEvents *events,
                            gpointer user_data);
void zoom_people_free(ZoomPeople *people);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ZoomPeople, zoom_people_free)

/**
 * zoom_people_read:
 *
 * What the page shows at @now_ms. Who is missing from two complete readings in a row, or has not
 * been seen for a minute, has left. The k-th line of a name is the k-th person of that name.
 */
void zoom_people_read(ZoomPeople *people, const ZoomRow *rows, size_t n_rows, ZoomReading reading,
                      int64_t now_ms);

/**
 * zoom_people_voice:
 * @ret_source: (out): the source of their voice
 *
 * Borrowed: the id of the one person of @name who is here, is not the bot and is not muted; NULL
 * when there is none, or more than one.
 */
const char *zoom_people_voice(ZoomPeople *people, const char *name, uint32_t *ret_source);

/** Borrowed: the id of the one person of @name who is here, or NULL. */
const char *zoom_people_named(ZoomPeople *people, const char *name);
