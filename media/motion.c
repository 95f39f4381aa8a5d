/* SPDX-License-Identifier: Apache-2.0 */
#include "media/motion.h"

#include <glib.h>

/* Of its final size, when a tile appears. */
#define BIRTH_PERCENT 70
#define EVEN(n) ((n) & ~1)

static bool same_rect(const MediaRect *a, const MediaRect *b)
{
    return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

static bool is_present(const MediaMotion *motion, const MediaPlace *targets, int n)
{
    if (motion->n_tiles != n) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        if (motion->tiles[i].key != targets[i].key ||
            !same_rect(&motion->tiles[i].to, &targets[i].rect)) {
            return false;
        }
    }
    return true;
}

static MediaRect birth_of(MediaRect to)
{
    int width = MAX(EVEN(to.width * BIRTH_PERCENT / 100), 2);
    int height = MAX(EVEN(to.height * BIRTH_PERCENT / 100), 2);
    return (MediaRect){to.x + EVEN((to.width - width) / 2), to.y + EVEN((to.height - height) / 2),
                       width, height};
}

static MediaRect origin_of(const MediaMotion *before, const MediaPlace *target, int64_t now_ns)
{
    for (int i = 0; i < before->n_tiles; i++) {
        if (before->tiles[i].key == target->key) {
            return media_motion_rect(before, i, now_ns);
        }
    }
    return birth_of(target->rect);
}

void media_motion_aim(MediaMotion *motion, const MediaPlace *targets, int n, bool jump,
                      int64_t now_ns)
{
    if (is_present(motion, targets, n)) {
        return;
    }
    MediaMotion before = *motion;
    jump |= before.n_tiles == 0;
    motion->n_tiles = n;
    motion->start_ns = jump ? now_ns - MEDIA_MOTION_NS : now_ns;
    for (int i = 0; i < n; i++) {
        motion->tiles[i].key = targets[i].key;
        motion->tiles[i].to = targets[i].rect;
        motion->tiles[i].from = jump ? targets[i].rect : origin_of(&before, &targets[i], now_ns);
    }
}

/* Smoothstep: begins and ends at rest. */
static int between(int from, int to, double part)
{
    double eased = part * part * (3 - 2 * part);
    return EVEN(from + (int)((to - from) * eased));
}

MediaRect media_motion_rect(const MediaMotion *motion, int index, int64_t now_ns)
{
    const MediaRect *from = &motion->tiles[index].from, *to = &motion->tiles[index].to;
    if (now_ns - motion->start_ns >= MEDIA_MOTION_NS) {
        return *to;
    }
    double part = (double)MAX(now_ns - motion->start_ns, 0) / (double)MEDIA_MOTION_NS;
    return (MediaRect){between(from->x, to->x, part), between(from->y, to->y, part),
                       MAX(between(from->width, to->width, part), 2),
                       MAX(between(from->height, to->height, part), 2)};
}

bool media_motion_moves(const MediaMotion *motion, int64_t now_ns)
{
    if (now_ns - motion->start_ns >= MEDIA_MOTION_NS) {
        return false;
    }
    for (int i = 0; i < motion->n_tiles; i++) {
        if (!same_rect(&motion->tiles[i].from, &motion->tiles[i].to)) {
            return true;
        }
    }
    return false;
}
