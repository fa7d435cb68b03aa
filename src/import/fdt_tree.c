/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_tree.c - the one pass over a flattened device tree. Read fdt_tree.h first.
 *
 * What cannot be a tree is refused with the node and the property: broken structure, nesting
 * deeper than the kernel takes, names that are no names, cell counts that no address has,
 * siblings of one name, phandles given twice.
 */
#include "fdt_tree.h"

#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 64 }; /* Linux: FDT_MAX_DEPTH, drivers/of/fdt.c */

static const char *const property_names[FDT_PROPERTY_COUNT] = {"",
#define X(id, name) name,
							       FDT_PROPERTIES(X)
#undef X
};

_Static_assert(FDT_PROPERTY_COUNT <= 64, "which properties a node has is kept in 64 bits");

const char *fdt_property_name(enum fdt_property_id id)
{
	return property_names[id];
}

/* ---- errors ---- */

int fdt_fail(const struct fdt_tree *tree, uint32_t node, const char *property, const char *format,
	     ...)
{
	struct busway_fdt_error *e = tree->error;
	va_list arguments;
	size_t at = sizeof(e->node);

	if (!e)
		return -BUSWAY_EINVAL;
	/* the path from its end to its start: it may be longer than the field */
	e->node[--at] = '\0';
	for (uint32_t n = node; n != FDT_NONE && n != 0; n = tree->nodes[n].parent) {
		const size_t length = strlen(tree->nodes[n].name);

		if (length + 1 > at)
			break;
		at -= length;
		memcpy(e->node + at, tree->nodes[n].name, length);
		e->node[--at] = '/';
	}
	if (node == 0)
		e->node[--at] = '/';
	memmove(e->node, e->node + at, sizeof(e->node) - at);
	snprintf(e->property, sizeof(e->property), "%s", property ? property : "");
	va_start(arguments, format);
	vsnprintf(e->message, sizeof(e->message), format, arguments);
	va_end(arguments);
	return -BUSWAY_EINVAL;
}

/* ---- the pass ---- */

struct pass {
	struct fdt_tree *tree;
	const char *strings;
	uint32_t strings_size, struct_size;
	uint8_t *ids; /* property id + 1 by offset of its name; 0: not met yet */
	struct vector nodes, props;
	uint32_t current; /* node whose content is being read */
	bool has_children;
};

static struct fdt_node *node_at(const struct pass *pass, uint32_t i)
{
	return (struct fdt_node *)pass->nodes.items + i;
}

/* fdt_fail() while the nodes are still in the vector. */
#define PASS_FAIL(pass, node, property, ...)                                                       \
	((pass)->tree->nodes = (pass)->nodes.items,                                                \
	 fdt_fail((pass)->tree, node, property, __VA_ARGS__))

static uint8_t find_id(const char *name)
{
	unsigned low = 1, high = FDT_PROPERTY_COUNT;

	while (low < high) {
		const unsigned middle = (low + high) / 2;
		const int order = strcmp(name, property_names[middle]);

		if (order == 0)
			return (uint8_t)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return FDT_OTHER;
}

static int bad_structure(struct pass *pass, int offset)
{
	return PASS_FAIL(pass, pass->current, NULL,
			 offset == -FDT_ERR_TRUNCATED ? "the structure block is cut short here"
						      : "the structure block is broken here");
}

static int intern(struct pass *pass, uint32_t offset, uint8_t *id)
{
	if (offset >= pass->strings_size ||
	    (!pass->ids[offset] &&
	     !memchr(pass->strings + offset, '\0', pass->strings_size - offset)))
		return PASS_FAIL(pass, pass->current, NULL,
				 "a property's name lies outside the strings block");
	if (!pass->ids[offset])
		pass->ids[offset] = (uint8_t)(find_id(pass->strings + offset) + 1);
	*id = (uint8_t)(pass->ids[offset] - 1);
	return 0;
}

static bool is_name_char(unsigned char c)
{
	return c > 0x20 && c < 0x7f && c != '/';
}

/* Is the name one? Then @hash is made of it, so that its bytes are read once. */
static int check_name(struct pass *pass, uint32_t parent, const char *name, uint32_t *hash)
{
	uint32_t sum = parent * 0x9e3779b1u + 1;

	for (const char *c = name; *c; c++) {
		if (!is_name_char((unsigned char)*c))
			return PASS_FAIL(pass, parent, NULL,
					 "a child's name has the byte 0x%02x in it",
					 (unsigned char)*c);
		sum = (sum ^ (unsigned char)*c) * 0x01000193u;
	}
	if (!*name && parent != FDT_NONE)
		return PASS_FAIL(pass, parent, NULL, "a child has no name");
	*hash = fdt_hash(sum);
	return 0;
}

/* Nodes at the top whose properties are names and offsets, not properties of devices. */
static bool is_bookkeeping(const char *name)
{
	static const char *const names[] = {"__symbols__",   "__fixups__", "__local_fixups__",
					    "__overrides__", "aliases",    "chosen"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static const struct fdt_prop *own_prop(const struct pass *pass, uint32_t node,
				       enum fdt_property_id id)
{
	const struct fdt_node *n = node_at(pass, node);
	const struct fdt_prop *props = pass->props.items;

	for (uint32_t i = 0; (n->has >> id & 1) && i < n->prop_count; i++)
		if (props[n->first_prop + i].id == id)
			return &props[n->first_prop + i];
	return NULL;
}

static int take_cells(struct pass *pass, enum fdt_property_id id, uint8_t *count, bool *stated)
{
	const struct fdt_prop *prop = own_prop(pass, pass->current, id);

	*stated = prop != NULL;
	if (!prop)
		return 0;
	if (prop->length < 4)
		return PASS_FAIL(pass, pass->current, property_names[id],
				 "%u bytes long; it must be one cell", prop->length);
	/* one too many stands for all that are too many: see check_cells() */
	*count = (uint8_t)(fdt_cell(prop, 0) > FDT_CELLS_MAX ? FDT_CELLS_MAX + 1
							     : fdt_cell(prop, 0));
	return 0;
}

static enum fdt_bus match_bus(const struct pass *pass, const struct fdt_node *node)
{
	const struct fdt_prop *type = own_prop(pass, pass->current, FDT_DEVICE_TYPE);

	if (fdt_prop_is(type, "pci") || fdt_prop_is(type, "pciex") || fdt_prop_is(type, "vci") ||
	    fdt_prop_is(type, "ht") || fdt_base_name_is(node->name, "pcie"))
		return FDT_BUS_PCI;
	if (fdt_base_name_is(node->name, "isa"))
		return FDT_BUS_ISA;
	return node->address_cells == 3 ? FDT_BUS_DEFAULT_FLAGS : FDT_BUS_DEFAULT;
}

/* All properties of the current node are in: settle what follows from them. */
static int settle(struct pass *pass)
{
	struct fdt_node *node = node_at(pass, pass->current);
	const struct fdt_node *parent = node_at(pass, node->parent);
	const bool is_root = pass->current == 0;
	const struct fdt_prop *status = own_prop(pass, pass->current, FDT_STATUS);
	const struct fdt_prop *phandle = own_prop(pass, pass->current, FDT_PHANDLE);
	bool address, size;
	int failed;

	/* Linux inherits the counts (of_bus_n_addr_cells), and takes 1 where nobody states them */
	node->address_cells = is_root ? 1 : parent->address_cells;
	node->size_cells = is_root ? 1 : parent->size_cells;
	failed = take_cells(pass, FDT_ADDRESS_CELLS, &node->address_cells, &address);
	if (!failed)
		failed = take_cells(pass, FDT_SIZE_CELLS, &node->size_cells, &size);
	if (failed)
		return failed;
	node->states_cells = address && size;
	node->bus = (uint8_t)match_bus(pass, node);
	node->available = !status || fdt_prop_is(status, "okay") || fdt_prop_is(status, "ok");
	node->enabled = node->available && (is_root || parent->enabled);
	if (!phandle)
		phandle = own_prop(pass, pass->current, FDT_LINUX_PHANDLE);
	if (phandle && phandle->length >= 4 && fdt_cell(phandle, 0) != UINT32_MAX)
		node->phandle = fdt_cell(phandle, 0);
	return 0;
}

/* A child begins or the node ends: no more properties may come. */
static int close_properties(struct pass *pass)
{
	if (pass->has_children)
		return 0;
	pass->has_children = true;
	return settle(pass);
}

static int begin_node(struct pass *pass, const char *name)
{
	const uint32_t parent = pass->current;
	const bool is_root = parent == FDT_NONE;
	struct fdt_node *node;
	uint32_t hash = 0;
	int failed = is_root ? 0 : close_properties(pass);

	if (!failed)
		failed = check_name(pass, parent, name, &hash);
	if (failed)
		return failed;
	if (is_root && pass->nodes.count)
		return PASS_FAIL(pass, FDT_NONE, NULL, "there is a second root node");
	if (!is_root && node_at(pass, parent)->depth + 1 >= DEPTH_MAX)
		return PASS_FAIL(pass, parent, NULL, "nodes are nested deeper than %d levels",
				 DEPTH_MAX);
	node = vector_next(pass->tree->arena, &pass->nodes, sizeof(*node),
			   _Alignof(struct fdt_node));
	if (!node)
		return -BUSWAY_ENOMEM;
	*node = (struct fdt_node){
		.name = is_root ? "" : name,
		.name_hash = hash,
		.parent = is_root ? 0 : parent,
		.first_prop = (uint32_t)pass->props.count,
		.depth = is_root ? 0 : (uint8_t)(node_at(pass, parent)->depth + 1),
	};
	if (!is_root)
		node->bookkeeping =
			node_at(pass, parent)->bookkeeping || (parent == 0 && is_bookkeeping(name));
	pass->current = (uint32_t)pass->nodes.count++;
	pass->has_children = false;
	return 0;
}

static int end_node(struct pass *pass, bool *root_ended)
{
	int failed;

	if (pass->current == FDT_NONE)
		return PASS_FAIL(pass, FDT_NONE, NULL, "a node ends that never began");
	failed = close_properties(pass);
	if (failed)
		return failed;
	node_at(pass, pass->current)->end = (uint32_t)pass->nodes.count;
	*root_ended = pass->current == 0;
	pass->current = *root_ended ? FDT_NONE : node_at(pass, pass->current)->parent;
	pass->has_children = true;
	return 0;
}

static int add_alias(struct pass *pass, const struct fdt_property *property, uint32_t length)
{
	struct fdt_alias *alias;

	if (!length || property->data[length - 1] != '\0')
		return 0;
	alias = vector_next(pass->tree->arena, &pass->tree->aliases, sizeof(*alias),
			    _Alignof(struct fdt_alias));
	if (!alias)
		return -BUSWAY_ENOMEM;
	alias->name = pass->strings + fdt32_to_cpu(property->nameoff);
	alias->path = property->data;
	pass->tree->aliases.count++;
	return 0;
}

/* @room: bytes of the whole token */
static int add_property(struct pass *pass, const struct fdt_property *property, uint32_t room)
{
	const uint32_t length = fdt32_to_cpu(property->len);
	struct fdt_node *node;
	struct fdt_prop *prop;
	uint8_t id = FDT_OTHER;
	int failed;

	if (room < sizeof(*property) || length > room - sizeof(*property))
		return bad_structure(pass, 0);
	if (pass->current == FDT_NONE)
		return PASS_FAIL(pass, FDT_NONE, NULL, "a property lies outside the root node");
	if (pass->has_children)
		return PASS_FAIL(pass, pass->current, NULL,
				 "a property follows the first child; readers would not find it");
	failed = intern(pass, fdt32_to_cpu(property->nameoff), &id);
	if (failed)
		return failed;
	node = node_at(pass, pass->current);
	if (node->bookkeeping)
		return node->depth == 1 && strcmp(node->name, "aliases") == 0
			       ? add_alias(pass, property, length)
			       : 0;
	if (id == FDT_OTHER)
		return 0;
	if (node->has >> id & 1) {
		node->duplicate_property = true;
		node->duplicate_id = id;
		return 0;
	}
	node->has |= (uint64_t)1 << id;
	prop = vector_next(pass->tree->arena, &pass->props, sizeof(*prop),
			   _Alignof(struct fdt_prop));
	if (!prop)
		return -BUSWAY_ENOMEM;
	*prop = (struct fdt_prop){(const uint8_t *)property->data, length, id};
	pass->props.count++;
	node->prop_count++;
	return 0;
}

static int read_tokens(struct pass *pass)
{
	const void *blob = pass->tree->blob;
	bool ended = false;
	int offset = 0, next = 0;

	for (;; offset = next) {
		const uint32_t tag = fdt_next_tag(blob, offset, &next);
		const char *content;
		int failed = 0;

		/* libfdt's offsets are ints: a huge length can lead them backwards */
		if (next <= offset || (uint32_t)next > pass->struct_size)
			return bad_structure(pass, next);
		content = (const char *)blob + fdt_off_dt_struct(blob) + offset;
		if (tag == FDT_BEGIN_NODE && !ended)
			failed = begin_node(pass, content + FDT_TAGSIZE);
		else if (tag == FDT_END_NODE)
			failed = end_node(pass, &ended);
		else if (tag == FDT_PROP)
			failed = add_property(pass, (const struct fdt_property *)content,
					      (uint32_t)(next - offset));
		else if (tag == FDT_END && ended)
			return 0;
		else if (tag != FDT_NOP)
			return bad_structure(pass, 0);
		if (failed)
			return failed;
	}
}

/* ---- the whole tree ---- */

static int check_header(struct fdt_tree *tree, const void *blob, size_t size)
{
	int status;

	if (size < FDT_V17_SIZE && size < sizeof(struct fdt_header))
		return fdt_fail(tree, FDT_NONE, NULL,
				size ? "too short for a device tree: %zu bytes"
				     : "the file is empty",
				size);
	if (fdt_magic(blob) != FDT_MAGIC)
		return fdt_fail(tree, FDT_NONE, NULL,
				"not a flattened device tree: the magic number is 0x%08x",
				fdt_magic(blob));
	if (fdt_totalsize(blob) > size)
		return fdt_fail(tree, FDT_NONE, NULL,
				"cut short: the header says %u bytes, there are %zu",
				fdt_totalsize(blob), size);
	if (fdt_version(blob) < 16)
		return fdt_fail(
			tree, FDT_NONE, NULL,
			"format version %u is older than 16, which is the oldest that is read",
			fdt_version(blob));
	status = fdt_check_header(blob);
	if (status == 0)
		status = fdt_num_mem_rsv(blob) < 0 ? -FDT_ERR_TRUNCATED : 0;
	if (status)
		return fdt_fail(tree, FDT_NONE, NULL, "the header is broken: %s",
				fdt_strerror(status));
	if (fdt_off_dt_struct(blob) % 4)
		return fdt_fail(tree, FDT_NONE, NULL,
				"the header is broken: the structure block is not aligned");
	if ((uint64_t)fdt_off_dt_strings(blob) + fdt_size_dt_strings(blob) > fdt_totalsize(blob))
		return fdt_fail(tree, FDT_NONE, NULL,
				"the header is broken: the strings block passes the end");
	return 0;
}

/* Room for what a tree of this size usually has, so that the arrays seldom move. */
static bool reserve(struct pass *pass, size_t struct_size)
{
	struct arena *arena = pass->tree->arena;

	pass->nodes.capacity = struct_size / 96 + 16;
	pass->props.capacity = struct_size / 48 + 16;
	pass->nodes.items = arena_take(arena, pass->nodes.capacity * sizeof(struct fdt_node),
				       _Alignof(struct fdt_node));
	pass->props.items = arena_take(arena, pass->props.capacity * sizeof(struct fdt_prop),
				       _Alignof(struct fdt_prop));
	pass->ids = arena_take(arena, (size_t)pass->strings_size + 1, 1);
	if (pass->ids)
		memset(pass->ids, 0, (size_t)pass->strings_size + 1);
	return pass->nodes.items && pass->props.items && pass->ids;
}

int fdt_tree_index(struct fdt_tree *tree, const void *blob, size_t size, struct arena *arena,
		   struct busway_platform *platform, struct busway_fdt_error *error)
{
	struct pass pass = {.tree = tree, .current = FDT_NONE};
	int failed;

	*tree = (struct fdt_tree){
		.blob = blob, .arena = arena, .platform = platform, .error = error};
	failed = check_header(tree, blob, size);
	if (failed)
		return failed;
	pass.strings = (const char *)blob + fdt_off_dt_strings(blob);
	pass.strings_size = fdt_size_dt_strings(blob);
	pass.struct_size = fdt_version(blob) >= 17 ? fdt_size_dt_struct(blob)
						   : fdt_totalsize(blob) - fdt_off_dt_struct(blob);
	if (!reserve(&pass, fdt_totalsize(blob) - pass.strings_size))
		return -BUSWAY_ENOMEM;
	failed = read_tokens(&pass);
	if (failed)
		return failed;
	tree->nodes = pass.nodes.items;
	tree->node_count = (uint32_t)pass.nodes.count;
	tree->props = pass.props.items;
	tree->paths = arena_take(arena, tree->node_count * sizeof(*tree->paths), _Alignof(char *));
	if (!tree->paths)
		return -BUSWAY_ENOMEM;
	memset(tree->paths, 0, tree->node_count * sizeof(*tree->paths));
	return fdt_tree_check(tree);
}
