/* The course as one list, whatever chapter a lesson stands in. */
#include "cli/lesson.h"

#include <stdio.h>

#include "cli/why.h"

enum { FILE_NAME_MAX = 96 };

static const lesson *const chapters[] = {lessons_tokens, lessons_grants, lessons_headers,
                                         lessons_doors,  lessons_trust,  lessons_more};

static size_t chapter_length(const lesson *chapter)
{
    size_t n = 0;
    while (chapter[n].name)
        n++;
    return n;
}

size_t lesson_count(void)
{
    size_t n = 0;
    for (size_t i = 0; i < countof(chapters); i++)
        n += chapter_length(chapters[i]);
    return n;
}

const lesson *lesson_get(size_t index)
{
    for (size_t i = 0; i < countof(chapters); i++) {
        const size_t n = chapter_length(chapters[i]);
        if (index < n)
            return &chapters[i][index];
        index -= n;
    }
    return NULL;
}

const lesson *lesson_find(const char *word, size_t *out_index)
{
    const size_t count = lesson_count();
    uint64_t number = 0;
    if (span_u64(span_of(word), count, &number) && number > 0) {
        *out_index = (size_t)number - 1;
        return lesson_get(*out_index);
    }
    for (size_t i = 0; i < count; i++) {
        const lesson *l = lesson_get(i);
        if (!l || strcmp(l->name, word) != 0)
            continue;
        *out_index = i;
        return l;
    }
    return NULL;
}

const embedded *lesson_topology(size_t index)
{
    char name[FILE_NAME_MAX];
    const lesson *l = lesson_get(index);
    if (!l)
        return NULL;
    snprintf(name, sizeof name, "%02zu-%.80s.yaml", index + 1, l->name);
    return embedded_find(embedded_lessons, span_of(name));
}

const lesson_choice *lesson_right_choice(const lesson_step *step)
{
    for (size_t i = 0; i < LESSON_CHOICES_MAX && step->choices[i].text; i++) {
        const lesson_choice *c = &step->choices[i];
        if (c->cause == step->expected && c->status == why_status(step->expected))
            return c;
    }
    return NULL;
}
