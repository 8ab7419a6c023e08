// SPDX-License-Identifier: GPL-2.0-only
/* Pages left behind on the node they came from; the invariants are in shadow.h. */

#include <linux/list.h>
#include <linux/memory.h>
#include <linux/nodemask.h>
#include <linux/oom.h>
#include <linux/slab.h>

#include "compat/mm.h"
#include "page_placement/move_priv.h"
#include "page_placement/recycle.h"

/* Shadows dropped while a lock is held. */
#define PP_SHADOW_CHUNK	64

/**
 * struct pp_shadow - a shadow
 * @on_node: in its node's list
 * @watch: of the process
 * @index: page number of the address
 * @folio: the shadow
 * @of: number of the page that it is a shadow of
 */
struct pp_shadow {
	struct list_head on_node;
	struct pp_watch *watch;
	unsigned long index;
	struct folio *folio;
	unsigned long of;
};

/**
 * struct pp_shadow_node - the shadows on a node
 * @lock: of the rest; inside a watch's lock
 * @list: the shadows, those kept longest first
 * @closed: memory of the node goes offline: none is kept
 * @figures: counts
 */
struct pp_shadow_node {
	spinlock_t lock; /* of the rest */
	bool closed;
	struct list_head list;
	struct pp_shadow_figures figures;
} ____cacheline_aligned_in_smp;

static struct pp_shadow_node *pp_shadow_nodes;
static struct kmem_cache *pp_shadow_cache;
static struct shrinker *pp_shrinker;

static struct pp_shadow_node *pp_shadow_node(const struct pp_shadow *shadow)
{
	return &pp_shadow_nodes[folio_nid(shadow->folio)];
}

/* Out of the watch and the list, under both locks. The caller has the page's reference then. */
static struct folio *pp_shadow_unlink(struct pp_shadow *shadow, enum pp_shadow_end why)
{
	struct pp_shadow_node *node = pp_shadow_node(shadow);
	struct folio *folio = shadow->folio;

	lockdep_assert_held(&shadow->watch->lock);
	lockdep_assert_held(&node->lock);
	xa_erase(&shadow->watch->shadows, shadow->index);
	WRITE_ONCE(shadow->watch->nr_shadows, shadow->watch->nr_shadows - 1);
	list_del(&shadow->on_node);
	node->figures.now--;
	node->figures.ended[why]++;
	kmem_cache_free(pp_shadow_cache, shadow);
	return folio;
}

/* The same, under the watch's lock alone. */
static struct folio *pp_shadow_end(struct pp_shadow *shadow, enum pp_shadow_end why)
{
	struct pp_shadow_node *node = pp_shadow_node(shadow);
	struct folio *folio;

	spin_lock(&node->lock);
	folio = pp_shadow_unlink(shadow, why);
	spin_unlock(&node->lock);
	return folio;
}

static struct pp_shadow *pp_shadow_find(struct pp_watch *watch, unsigned long addr)
{
	lockdep_assert_held(&watch->lock);
	return watch->nr_shadows ? xa_load(&watch->shadows, addr >> PAGE_SHIFT) : NULL;
}

bool pp_shadow_peek(struct pp_watch *watch, unsigned long addr, struct folio *folio, int node)
{
	struct pp_shadow *shadow = pp_shadow_find(watch, addr);

	return shadow && shadow->of == folio_pfn(folio) && folio_nid(shadow->folio) == node;
}

struct folio *pp_shadow_take(struct pp_watch *watch, unsigned long addr, struct folio *folio,
			     int node)
{
	if (!pp_shadow_peek(watch, addr, folio, node))
		return NULL;
	return pp_shadow_end(pp_shadow_find(watch, addr), PP_SHADOW_USED);
}

void pp_shadow_drop(struct pp_watch *watch, unsigned long addr, enum pp_shadow_end why)
{
	struct pp_shadow *shadow = pp_shadow_find(watch, addr);

	if (shadow)
		folio_put(pp_shadow_end(shadow, why));
}

bool pp_shadow_keep(struct pp_watch *watch, unsigned long addr, struct folio *shadow,
		    struct folio *folio)
{
	const gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN;
	struct pp_shadow_node *node;
	struct pp_shadow *kept;

	lockdep_assert_held(&watch->lock);
	pp_shadow_drop(watch, addr, PP_SHADOW_CHANGED);
	kept = kmem_cache_alloc(pp_shadow_cache, gfp);
	if (!kept)
		return false;
	*kept = (struct pp_shadow) {
		.watch = watch,
		.index = addr >> PAGE_SHIFT,
		.folio = shadow,
		.of = folio_pfn(folio),
	};
	if (xa_is_err(xa_store(&watch->shadows, kept->index, kept, gfp))) {
		kmem_cache_free(pp_shadow_cache, kept);
		return false;
	}
	node = pp_shadow_node(kept);
	spin_lock(&node->lock);
	if (node->closed) {
		spin_unlock(&node->lock);
		xa_erase(&watch->shadows, kept->index);
		kmem_cache_free(pp_shadow_cache, kept);
		return false;
	}
	WRITE_ONCE(watch->nr_shadows, watch->nr_shadows + 1);
	list_add_tail(&kept->on_node, &node->list);
	node->figures.kept++;
	node->figures.now++;
	spin_unlock(&node->lock);
	return true;
}

void pp_shadow_drop_range(struct pp_watch *watch, unsigned long start, unsigned long end,
			  enum pp_shadow_end why, bool may_sleep)
{
	unsigned long index = start >> PAGE_SHIFT, last = (end - 1) >> PAGE_SHIFT;
	struct pp_shadow *shadow;
	unsigned int nr;

	/* Who keeps one for this range from now on has not seen what goes on; see W2. */
	while (READ_ONCE(watch->nr_shadows)) {
		spin_lock(&watch->lock);
		for (nr = 0; nr < PP_SHADOW_CHUNK; nr++) {
			shadow = xa_find(&watch->shadows, &index, last, XA_PRESENT);
			if (!shadow)
				break;
			folio_put(pp_shadow_end(shadow, why));
		}
		spin_unlock(&watch->lock);
		if (nr < PP_SHADOW_CHUNK)
			return;
		if (may_sleep)
			cond_resched();
	}
}

/* Take the locks in the wrong order: where that would wait, leave the shadow for another time. */
static unsigned long pp_shadow_shrink(int nid, unsigned long nr, enum pp_shadow_end why)
{
	struct pp_shadow_node *node = &pp_shadow_nodes[nid];
	struct folio *folio[PP_SHADOW_CHUNK];
	unsigned long done = 0, tries;
	unsigned int i, chunk;

	do {
		chunk = 0;
		tries = min_t(unsigned long, nr - done, PP_SHADOW_CHUNK);
		spin_lock(&node->lock);
		while (tries-- && !list_empty(&node->list)) {
			struct pp_shadow *shadow = list_first_entry(&node->list, struct pp_shadow,
								    on_node);
			struct pp_watch *watch = shadow->watch;

			if (!spin_trylock(&watch->lock)) {
				list_move_tail(&shadow->on_node, &node->list);
				continue;
			}
			folio[chunk++] = pp_shadow_unlink(shadow, why);
			spin_unlock(&watch->lock);
		}
		spin_unlock(&node->lock);
		for (i = 0; i < chunk; i++)
			folio_put(folio[i]);
		done += chunk;
	} while (chunk && done < nr);
	return done;
}

unsigned long pp_shadow_reclaim(int node, unsigned long nr)
{
	return pp_shadow_shrink(node, nr, PP_SHADOW_RECLAIMED);
}

void pp_shadow_figures(int node, struct pp_shadow_figures *figures)
{
	spin_lock(&pp_shadow_nodes[node].lock);
	*figures = pp_shadow_nodes[node].figures;
	spin_unlock(&pp_shadow_nodes[node].lock);
}

/**
 * struct pp_shadow_look - is a shadow still of use?
 * @of: number of the page that it is of
 * @clean: that page is there, and nobody has written to it
 */
struct pp_shadow_look {
	unsigned long of;
	bool clean;
};

static int pp_shadow_look(pte_t *ptep, unsigned long addr, void *data)
{
	struct pp_shadow_look *look = data;
	pte_t pte = ptep_get(ptep);

	look->clean = pte_present(pte) && pte_pfn(pte) == look->of && !pte_dirty(pte) &&
		      !folio_test_dirty(page_folio(pfn_to_page(look->of)));
	return 0;
}

/* Is the shadow of the page with number @of, at @addr, of use still? Else @why it goes. */
static bool pp_shadow_clean(struct mm_struct *mm, unsigned long addr, unsigned long of,
			    enum pp_shadow_end *why)
{
	struct pp_shadow_look look = { .of = of };
	enum pp_reason reason;

	/* What is being unmapped has its shadow still, but not its page tables for long (W5). */
	*why = PP_SHADOW_CHANGED;
	if (!pp_movable_vma(mm, addr, &reason))
		return false;
	*why = PP_SHADOW_WRITTEN;
	pp_table_apply(mm, addr, pp_shadow_look, &look);
	return look.clean;
}

unsigned long pp_shadow_sweep(struct pp_watch *watch, unsigned long *addr, unsigned long nr)
{
	unsigned long index = *addr >> PAGE_SHIFT, dropped = 0, of = 0;
	struct mm_struct *mm = pp_watch_mm(watch);
	struct pp_shadow *shadow;
	enum pp_shadow_end why;

	if (!READ_ONCE(watch->nr_shadows) || !pp_mmap_lock(mm, false, &watch->missed))
		return 0;
	*addr = 0;
	for (;; index++) {
		spin_lock(&watch->lock);
		shadow = xa_find(&watch->shadows, &index, ULONG_MAX, XA_PRESENT);
		if (shadow)
			of = shadow->of;
		spin_unlock(&watch->lock);
		if (!shadow)
			break;
		if (!nr--) {
			*addr = index << PAGE_SHIFT;
			break;
		}
		if (pp_shadow_clean(mm, index << PAGE_SHIFT, of, &why))
			continue;
		/* Perhaps another one by now: then it goes for nothing. */
		spin_lock(&watch->lock);
		pp_shadow_drop(watch, index << PAGE_SHIFT, why);
		spin_unlock(&watch->lock);
		dropped++;
	}
	mmap_read_unlock(mm);
	return dropped;
}

static unsigned long pp_shrinker_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	return READ_ONCE(pp_shadow_nodes[sc->nid].figures.now) + pp_recycled(sc->nid) ?:
	       SHRINK_EMPTY;
}

static unsigned long pp_shrinker_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long nr = pp_recycle_shrink(sc->nid, sc->nr_to_scan);

	if (nr < sc->nr_to_scan)
		nr += pp_shadow_shrink(sc->nid, sc->nr_to_scan - nr, PP_SHADOW_PRESSURE);
	return nr ?: SHRINK_STOP;
}

/* All nodes, all of it. */
static unsigned long pp_shadow_give_up(void)
{
	unsigned long nr = 0;
	int node;

	for_each_node_state(node, N_MEMORY) {
		nr += pp_recycle_shrink(node, ULONG_MAX);
		nr += pp_shadow_shrink(node, ULONG_MAX, PP_SHADOW_PRESSURE);
	}
	return nr;
}

static int pp_shadow_oom(struct notifier_block *block, unsigned long action, void *freed)
{
	*(unsigned long *)freed += pp_shadow_give_up();
	return NOTIFY_OK;
}

static struct notifier_block pp_shadow_oom_block = { .notifier_call = pp_shadow_oom };

static void pp_shadow_close(int nid, bool close)
{
	struct pp_shadow_node *node = &pp_shadow_nodes[nid];

	pp_recycle_close(nid, close);
	spin_lock(&node->lock);
	node->closed = close;
	spin_unlock(&node->lock);
}

/*
 * Memory of a node goes offline. What is on no LRU list can't be migrated away, so it is freed, and
 * nothing is kept on the node until that has ended: moves away from it would keep pages faster than
 * the kernel empties it.
 */
static void pp_shadow_going(int nid)
{
	pp_shadow_close(nid, true);
	while (pp_recycled(nid) || READ_ONCE(pp_shadow_nodes[nid].figures.now)) {
		pp_recycle_shrink(nid, ULONG_MAX);
		/* One whose process is just being changed is passed over. */
		pp_shadow_shrink(nid, ULONG_MAX, PP_SHADOW_PRESSURE);
		cond_resched();
	}
}

static int pp_shadow_hotplug(struct notifier_block *block, unsigned long action, void *data)
{
	const struct memory_notify *memory = data;

	switch (action) {
	case MEM_GOING_OFFLINE:
		pp_shadow_going(pfn_to_nid(memory->start_pfn));
		break;
	case MEM_OFFLINE:
	case MEM_CANCEL_OFFLINE:
		pp_shadow_close(pfn_to_nid(memory->start_pfn), false);
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block pp_shadow_hotplug_block = { .notifier_call = pp_shadow_hotplug };

int pp_shadow_init(void)
{
	unsigned int node;
	int err = -ENOMEM;

	pp_shadow_nodes = kcalloc(nr_node_ids, sizeof(*pp_shadow_nodes), GFP_KERNEL);
	if (!pp_shadow_nodes)
		return -ENOMEM;
	for (node = 0; node < nr_node_ids; node++) {
		spin_lock_init(&pp_shadow_nodes[node].lock);
		INIT_LIST_HEAD(&pp_shadow_nodes[node].list);
	}
	pp_shadow_cache = KMEM_CACHE(pp_shadow, 0);
	if (!pp_shadow_cache)
		goto free_nodes;
	pp_shrinker = tiffin_shrinker_new("tiffin-page-placement", pp_shrinker_count,
					  pp_shrinker_scan);
	if (!pp_shrinker)
		goto free_cache;
	err = register_oom_notifier(&pp_shadow_oom_block);
	if (err)
		goto free_shrinker;
	err = register_memory_notifier(&pp_shadow_hotplug_block);
	if (err)
		goto no_oom;
	return 0;

no_oom:
	unregister_oom_notifier(&pp_shadow_oom_block);
free_shrinker:
	tiffin_shrinker_free(pp_shrinker);
free_cache:
	kmem_cache_destroy(pp_shadow_cache);
free_nodes:
	kfree(pp_shadow_nodes);
	return err;
}

void pp_shadow_exit(void)
{
	unregister_memory_notifier(&pp_shadow_hotplug_block);
	unregister_oom_notifier(&pp_shadow_oom_block);
	tiffin_shrinker_free(pp_shrinker);
	kmem_cache_destroy(pp_shadow_cache);
	kfree(pp_shadow_nodes);
}
