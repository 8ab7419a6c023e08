// SPDX-License-Identifier: GPL-2.0-only
/* Destinations for moves, and what is kept of pages that came free; see recycle.h. */

#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "compat/mm.h"
#include "page_placement/recycle.h"

/**
 * struct pp_recycled - pages kept on a node
 * @lock: of the rest
 * @nr: how many
 * @closed: memory of the node goes offline: none is kept, and none given out to move to
 * @folio: which; the last one is taken first, as it may still be in a cache
 */
struct pp_recycled {
	spinlock_t lock; /* of the rest */
	unsigned int nr;
	bool closed;
	struct folio *folio[PP_RECYCLED_MAX];
};

static struct pp_recycled *pp_nodes;

int pp_recycle_init(void)
{
	unsigned int node;

	pp_nodes = kcalloc(nr_node_ids, sizeof(*pp_nodes), GFP_KERNEL);
	if (!pp_nodes)
		return -ENOMEM;
	for (node = 0; node < nr_node_ids; node++)
		spin_lock_init(&pp_nodes[node].lock);
	return 0;
}

void pp_recycle_exit(void)
{
	unsigned int node;

	for (node = 0; node < nr_node_ids; node++)
		pp_recycle_shrink(node, ULONG_MAX);
	kfree(pp_nodes);
}

static struct folio *pp_recycled_get(struct pp_recycled *kept)
{
	struct folio *folio = NULL;

	spin_lock(&kept->lock);
	if (kept->nr)
		folio = kept->folio[--kept->nr];
	spin_unlock(&kept->lock);
	return folio;
}

struct folio *pp_page_get(int node)
{
	const gfp_t gfp = (GFP_HIGHUSER_MOVABLE | __GFP_THISNODE | __GFP_NOWARN | __GFP_NORETRY) &
			  ~__GFP_RECLAIM;
	struct folio *folio;
	struct page *page;

	if (READ_ONCE(pp_nodes[node].closed))
		return NULL;
	folio = pp_recycled_get(&pp_nodes[node]);
	if (folio)
		return folio;
	page = alloc_pages_node(node, gfp, 0);
	return page ? page_folio(page) : NULL;
}

bool pp_page_renew(struct folio *folio)
{
	if (folio_ref_count(folio) != 1 || tiffin_mappings(folio) || folio_test_lru(folio) ||
	    folio_test_mlocked(folio) || folio_test_locked(folio) || folio_test_hwpoison(folio) ||
	    tiffin_charged(folio))
		return false;
	/* What free_pages_prepare() does. Nobody else has a reference, so nobody changes flags. */
	folio->mapping = NULL;
	folio->private = NULL;
	folio->flags &= ~PAGE_FLAGS_CHECK_AT_PREP;
	return true;
}

void pp_page_put(struct folio *folio)
{
	struct pp_recycled *kept = &pp_nodes[folio_nid(folio)];
	bool keep = false;

	if (READ_ONCE(kept->nr) < PP_RECYCLED_MAX && pp_page_renew(folio)) {
		spin_lock(&kept->lock);
		keep = kept->nr < PP_RECYCLED_MAX && !kept->closed;
		if (keep)
			kept->folio[kept->nr++] = folio;
		spin_unlock(&kept->lock);
	}
	if (!keep)
		folio_put(folio);
}

void pp_recycle_close(int node, bool close)
{
	spin_lock(&pp_nodes[node].lock);
	WRITE_ONCE(pp_nodes[node].closed, close);
	spin_unlock(&pp_nodes[node].lock);
}

unsigned long pp_recycled(int node)
{
	return READ_ONCE(pp_nodes[node].nr);
}

unsigned long pp_recycle_shrink(int node, unsigned long nr)
{
	unsigned long done;
	struct folio *folio;

	for (done = 0; done < nr; done++) {
		folio = pp_recycled_get(&pp_nodes[node]);
		if (!folio)
			break;
		folio_put(folio);
	}
	return done;
}
