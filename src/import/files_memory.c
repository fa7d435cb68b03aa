/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files_memory.c - a tree of files that is in memory.
 *
 * The files are one array in the order of their paths, in which '/' comes before every other
 * character: so what is in a directory stands right behind it, and a directory is there if
 * something in it is. Links are followed from the root of the tree on, and never out of it.
 */
#include "files.h"

#include "../base/arena.h"
#include "../base/sort.h"

#include <errno.h>
#include <string.h>

enum { LINKS_MOST = 40 };

struct item {
	const char *path;
	const char *content;
	size_t size;
	size_t turn;
	enum file_kind kind;
};

struct memory_tree {
	struct file_tree tree;
	struct arena arena;
	struct vector items; /* struct item */
	char root[FILE_PATH_SIZE];
};

static struct item *item_at(const struct memory_tree *m, size_t index)
{
	return (struct item *)m->items.items + index;
}

/* ---- paths ---- */

/* A path while it grows from the left to the right, without a slash in front. */
struct path {
	char text[FILE_PATH_SIZE];
	size_t length, floor; /* ".." does not lead above the first @floor characters */
};

static bool push(struct path *path, const char *name, size_t length)
{
	const size_t slash = path->length ? 1 : 0;

	if (length >= sizeof(path->text) - path->length - slash)
		return false;
	if (slash)
		path->text[path->length] = '/';
	memcpy(path->text + path->length + slash, name, length);
	path->length += slash + length;
	path->text[path->length] = 0;
	return true;
}

static void pop(struct path *path)
{
	while (path->length > path->floor && path->text[path->length - 1] != '/')
		path->length--;
	if (path->length > path->floor)
		path->length--; /* the slash */
	path->text[path->length] = 0;
}

static bool is_name(const char *name, size_t length, const char *other)
{
	return length == strlen(other) && memcmp(name, other, length) == 0;
}

/* Move on by the name at the start of *@rest, which is put behind it. */
static int step(struct path *path, const char **rest)
{
	const char *name = *rest;
	const size_t length = strcspn(name, "/");

	*rest = name + length + strspn(name + length, "/");
	if (length == 0 || is_name(name, length, "."))
		return 0;
	if (is_name(name, length, "..")) {
		pop(path);
		return 0;
	}
	return push(path, name, length) ? 0 : -ENAMETOOLONG;
}

/* ---- look for a path ---- */

/* In order: the end, the slash, everything else. */
static unsigned rank(char c)
{
	return c == 0 ? 0 : c == '/' ? 1 : (unsigned char)c + 1U;
}

static int compare(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (int)rank(*a) - (int)rank(*b);
}

/* The first item whose path is not before @path. */
static size_t lower_bound(const struct memory_tree *m, const char *path)
{
	size_t low = 0, high = m->items.count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (compare(item_at(m, middle)->path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_below(const char *path, const char *directory, size_t length)
{
	return length == 0 || (strncmp(path, directory, length) == 0 && path[length] == '/');
}

struct found {
	bool there;
	enum file_kind kind;
	const struct item *item; /* NULL: a directory of which only its content was added */
};

static struct found look(const struct memory_tree *m, const char *path)
{
	const size_t at = lower_bound(m, path), length = strlen(path);
	const struct item *item = at < m->items.count ? item_at(m, at) : NULL;

	if (length == 0)
		return (struct found){true, FILE_IS_DIRECTORY, NULL};
	if (item && strcmp(item->path, path) == 0)
		return (struct found){true, item->kind, item};
	return (struct found){item && is_below(item->path, path, length), FILE_IS_DIRECTORY, NULL};
}

/* ---- follow links ---- */

struct walk {
	struct path path;
	char rest[FILE_PATH_SIZE]; /* of the last link, and what comes behind it */
	unsigned links;
};

/* Go on where a link leads, and then along @rest. */
static int follow(struct walk *walk, const struct item *link, const char **rest)
{
	const size_t size = link->size, behind = strlen(*rest);

	if (++walk->links > LINKS_MOST)
		return -ELOOP;
	if (size + 1 + behind >= sizeof(walk->rest))
		return -ENAMETOOLONG;
	memmove(walk->rest + size + 1, *rest, behind + 1); /* it may stand in there itself */
	memcpy(walk->rest, link->content, size);
	walk->rest[size] = '/';
	if (size && link->content[0] == '/') {
		walk->path.length = walk->path.floor;
		walk->path.text[walk->path.length] = 0;
	} else {
		pop(&walk->path);
	}
	*rest = walk->rest;
	return 0;
}

/* Is the way along @rest one name after the other, so that one look tells? */
static bool is_plain(const char *rest)
{
	return rest[0] != '.' && rest[0] != '/' && !strstr(rest, "/.") && !strstr(rest, "//");
}

/* What is at the end of the way, where it can be seen at once. */
static bool look_ahead(const struct memory_tree *m, struct walk *walk, const char *rest,
		       bool follow_last, struct found *found)
{
	struct path whole = walk->path;

	if (!*rest || !is_plain(rest) || !push(&whole, rest, strlen(rest)))
		return false;
	if (whole.text[whole.length - 1] == '/')
		whole.text[--whole.length] = 0;
	*found = look(m, whole.text);
	if (!found->there || (found->kind == FILE_IS_LINK && follow_last))
		return false;
	walk->path = whole;
	return true;
}

/* Find @path; of a link at its end, where that leads, or the link itself. */
static int resolve(const struct memory_tree *m, const char *path, bool follow_last,
		   struct walk *walk, struct found *found)
{
	const char *rest = path + strspn(path, "/");
	int status = 0;

	walk->links = 0;
	walk->path.length = walk->path.floor = strlen(m->root);
	memcpy(walk->path.text, m->root, walk->path.length + 1);
	if (look_ahead(m, walk, rest, follow_last, found))
		return 0;
	*found = look(m, walk->path.text);
	while (!status && *rest) {
		if (found->kind != FILE_IS_DIRECTORY)
			return -ENOTDIR;
		status = step(&walk->path, &rest);
		if (status)
			return status;
		*found = look(m, walk->path.text);
		if (!found->there)
			return -ENOENT;
		if (found->kind != FILE_IS_LINK || (!*rest && !follow_last))
			continue;
		status = follow(walk, found->item, &rest);
		if (!status && look_ahead(m, walk, rest, follow_last, found))
			return 0;
		*found = look(m, walk->path.text);
	}
	return status;
}

/* ---- the calls ---- */

static const struct memory_tree *memory_tree(const struct file_tree *tree)
{
	return (const struct memory_tree *)tree;
}

/* A file that is another one. */
static struct found same(const struct memory_tree *m, struct found found)
{
	if (found.there && found.kind == FILE_IS_SAME)
		found = look(m, found.item->content);
	return found;
}

static long memory_read(struct file_tree *tree, const char *path, void *buf, size_t size)
{
	const struct memory_tree *m = memory_tree(tree);
	struct walk walk;
	struct found found;
	const int status = resolve(m, path, true, &walk, &found);
	size_t length;

	if (status)
		return status;
	found = same(m, found);
	if (!found.there)
		return -ENOENT;
	if (found.kind != FILE_IS_REGULAR)
		return found.kind == FILE_IS_DIRECTORY ? -EISDIR : -EINVAL;
	length = found.item->size < size ? found.item->size : size;
	memcpy(buf, found.item->content, length);
	return (long)length;
}

static long memory_link(struct file_tree *tree, const char *path, char *buf, size_t size)
{
	struct walk walk;
	struct found found;
	const int status = resolve(memory_tree(tree), path, false, &walk, &found);
	size_t length;

	if (status)
		return status;
	if (found.kind != FILE_IS_LINK)
		return -EINVAL;
	length = found.item->size < size - 1 ? found.item->size : size - 1;
	memcpy(buf, found.item->content, length);
	buf[length] = 0;
	return (long)length;
}

static int find_directory(const struct memory_tree *m, const char *path, struct walk *walk)
{
	struct found found;
	const int status = resolve(m, path, true, walk, &found);

	return status ? status : found.kind == FILE_IS_DIRECTORY ? 0 : -ENOTDIR;
}

static int memory_list(struct file_tree *tree, const char *path,
		       int (*each)(void *ctx, const char *name), void *ctx)
{
	const struct memory_tree *m = memory_tree(tree);
	char name[FILE_PATH_SIZE] = "";
	struct walk walk;
	int status = find_directory(m, path, &walk);
	const size_t length = walk.path.length, skip = length ? length + 1 : 0;

	for (size_t i = status ? m->items.count : lower_bound(m, walk.path.text);
	     !status && i < m->items.count; i++) {
		const char *child = item_at(m, i)->path;
		size_t end;

		if (strcmp(child, walk.path.text) == 0)
			continue;
		if (!is_below(child, walk.path.text, length))
			break;
		child += skip;
		end = strcspn(child, "/");
		if (strncmp(child, name, end) == 0 && name[end] == 0)
			continue; /* something in the one before */
		memcpy(name, child, end);
		name[end] = 0;
		status = each(ctx, name);
	}
	return status;
}

static int memory_enter(struct file_tree *tree, const char *name)
{
	struct memory_tree *m = (struct memory_tree *)tree;
	struct walk walk;
	const int status = find_directory(m, name, &walk);

	if (!status)
		memcpy(m->root, walk.path.text, walk.path.length + 1);
	return status;
}

static void memory_close(struct file_tree *tree)
{
	struct arena arena = ((struct memory_tree *)tree)->arena; /* it lies in it */

	arena_release(&arena);
}

/* ---- making one ---- */

static const struct file_tree_calls memory_calls = {
	.read = memory_read,
	.link = memory_link,
	.list = memory_list,
	.enter = memory_enter,
	.close = memory_close,
};

int file_tree_in_memory(const struct busway_allocator *memory, struct file_tree **out)
{
	struct arena arena = {.memory = memory};
	struct memory_tree *m = arena_take(&arena, sizeof(*m), _Alignof(struct memory_tree));

	if (!m)
		return -ENOMEM;
	*m = (struct memory_tree){.tree.calls = &memory_calls, .arena = arena};
	*out = &m->tree;
	return 0;
}

void *file_tree_take(struct file_tree *tree, size_t size)
{
	return arena_take(&((struct memory_tree *)tree)->arena, size, 1);
}

/* A copy of @path in its plain form. */
static int plain_copy(struct memory_tree *m, const char *path, const char **copy)
{
	struct path plain = {.length = 0};
	char *text;
	int status = 0;

	path += strspn(path, "/");
	while (!status && *path)
		status = step(&plain, &path);
	if (status)
		return status;
	text = arena_take(&m->arena, plain.length + 1, 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, plain.text, plain.length + 1);
	*copy = text;
	return 0;
}

int file_tree_add(struct file_tree *tree, const char *path, enum file_kind kind,
		  const void *content, size_t size)
{
	struct memory_tree *m = (struct memory_tree *)tree;
	struct item item = {.content = content, .size = size, .kind = kind};
	struct item *place;
	int status = plain_copy(m, path, &item.path);

	if (!status && kind == FILE_IS_SAME)
		status = plain_copy(m, content, &item.content);
	if (status)
		return status;
	if (!*item.path)
		return 0; /* the root is there already */
	item.turn = m->items.count;
	place = vector_next(&m->arena, &m->items, sizeof(*place), _Alignof(struct item));
	if (!place)
		return -ENOMEM;
	*place = item;
	m->items.count++;
	return 0;
}

static bool item_before(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	const int order = compare(x->path, y->path);

	return order ? order < 0 : x->turn > y->turn;
}

void file_tree_seal(struct file_tree *tree)
{
	struct memory_tree *m = (struct memory_tree *)tree;
	size_t kept = 0;

	sort(m->items.items, m->items.count, sizeof(struct item), item_before);
	for (size_t i = 0; i < m->items.count; i++)
		if (!kept || strcmp(item_at(m, i)->path, item_at(m, kept - 1)->path) != 0)
			*item_at(m, kept++) = *item_at(m, i);
	m->items.count = kept;
}
