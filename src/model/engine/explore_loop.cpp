#include "model/engine/explore_loop.h"

#include <algorithm>
#include <utility>

#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "model/engine/limits.h"
#include "model/engine/step_reader.h"

namespace labelprobe::model {

// Rows of the arena for all places that may be asked for, free again at the end.
class ExploreLoop::Rows {
 public:
  Rows(KvArena& arena, std::int64_t n_rows) : arena_(arena), n_rows_(n_rows) {
    if (n_rows > 0) first_ = arena.reserve(n_rows);
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows() {
    if (n_rows_ > 0) arena_.release(first_, n_rows_);
  }
  std::int64_t first() const { return first_; }

 private:
  KvArena& arena_;
  std::int64_t n_rows_;
  std::int64_t first_ = 0;
};

class ExploreLoop::PathFrontier : public Frontier {
 public:
  PathFrontier(
      PlaceTree& places, std::map<PlaceRow, Look>& looks, int path, const Reach& reach, int n_vocab)
      : places_(places), looks_(looks), path_(path), reach_(reach), n_vocab_(n_vocab) {}

  int add(int parent, TokenId token) override {
    LABELPROBE_CHECK(token >= 0 && token < n_vocab_);
    const int id = places_.add(path_, parent, token);
    LABELPROBE_CHECK(id <= reach_.n_places && places_.depth({path_, id}) <= reach_.depth);
    return id;
  }

  int add(int parent, TokenId token, const Look& look) override {
    const int id = add(parent, token);
    looks_.emplace(PlaceRow{path_, id}, look);
    return id;
  }

 private:
  PlaceTree& places_;
  std::map<PlaceRow, Look>& looks_;
  int path_;
  Reach reach_;
  int n_vocab_;
};

ExploreLoop::ExploreLoop(const Decoder& decoder,
                         const PrefixTree& tree,
                         const Request& request,
                         const ExploreOptions& options,
                         Explorer& explorer,
                         KvArena& arena,
                         StepInputs& inputs,
                         int n_rows_per_step,
                         std::function<void(std::size_t, int)> on_begin,
                         std::function<void(std::int64_t)> on_step)
    : decoder_(decoder),
      tree_(tree),
      request_(request),
      options_(options),
      explorer_(explorer),
      arena_(arena),
      inputs_(inputs),
      n_rows_per_step_(n_rows_per_step),
      on_begin_(std::move(on_begin)),
      on_step_(std::move(on_step)) {}

std::vector<Explored> ExploreLoop::run(const at::Tensor& hidden,
                                       const PrefixCache& cache,
                                       int first,
                                       int end) {
  std::int64_t n_rows = 0;
  std::vector<int> sequences;  // by path
  for (int s = first; s < end; ++s) {
    for (const std::size_t prompt : tree_.sequences()[s].prompts) {
      if (!request_.is_open(prompt)) continue;
      travellers_.push_back({prompt, std::nullopt, false});
      sequences.push_back(s);
      n_rows += request_.reach(prompt).n_places;
    }
  }
  const Rows reserved(arena_, n_rows);
  PlaceTree places(tree_, cache.node_rows());
  std::vector<std::vector<PlaceRow>> roots(static_cast<std::size_t>(end - first));
  std::int64_t row = reserved.first();
  for (std::size_t i = 0; i < travellers_.size(); ++i) {
    const std::size_t prompt = travellers_[i].prompt;
    roots[sequences[i] - first].push_back({places.add_path(sequences[i], row), 0});
    row += request_.reach(prompt).n_places;
    explorer_.begin(prompt);
    on_begin_(prompt, sequences[i]);
  }
  tell(hidden, roots);
  while (true) {
    std::vector<PlaceRow> rows;
    grow(places, rows);
    if (rows.empty()) break;
    compute(places, rows);
  }
  std::vector<Explored> explored;
  for (Traveller& traveller : travellers_) {
    explored.push_back({traveller.prompt, std::move(traveller.failure)});
  }
  return explored;
}

// Asks the explorer for further places of all prompts that are not done.
void ExploreLoop::grow(PlaceTree& places, std::vector<PlaceRow>& rows) {
  for (std::size_t i = 0; i < travellers_.size(); ++i) {
    Traveller& traveller = travellers_[i];
    if (traveller.is_done) continue;
    const auto path = static_cast<int>(i);
    const std::size_t n_before = rows.size();
    if (!traveller.failure) {
      PathFrontier next(places, looks_, path, request_.reach(traveller.prompt),
                        request_.info().vocab_size);
      explorer_.grow(traveller.prompt, next);
      places.append_new(path, rows);
    }
    traveller.is_done = rows.size() == n_before;
  }
}

void ExploreLoop::compute(PlaceTree& places, std::span<const PlaceRow> rows) {
  while (!rows.empty()) {
    const auto n = std::min(rows.size(), static_cast<std::size_t>(n_rows_per_step_));
    const std::span<const PlaceRow> step = rows.first(n);
    rows = rows.subspan(n);
    inputs_.resize(static_cast<std::int64_t>(n));
    std::vector<std::vector<PlaceRow>> places_of_rows;
    for (std::size_t i = 0; i < n; ++i) {
      inputs_.set(static_cast<std::int64_t>(i), places.token(step[i]), places.position(step[i]),
                  places.arena_row(step[i]), 0);
      places_of_rows.push_back({step[i]});
    }
    inputs_.segments() = places.segments(step);
    inputs_.send();
    std::optional<InnerView> view = view_of(places, step);
    const at::Tensor hidden = inputs_.forward(decoder_, arena_, view ? &*view : nullptr);
    tell(hidden, places_of_rows, view ? view->take() : std::vector<Inside>());
    for (const PlaceRow& row : step) looks_.erase(row);
    n_places_ += static_cast<std::int64_t>(n);
    on_step_(n_places_);
  }
}

namespace {

// Other processes have their own heads, and know nothing of who looks.
void check_can_follow(const std::vector<InnerView::Row>& rows) {
  for (const InnerView::Row& row : rows) {
    if (row.look->attention_to.empty() && row.look->knocked_out.empty() &&
        !row.look->shows_vocabulary) {
      continue;
    }
    throw ConfigError(
        "where attention goes, texts without some positions, and ranks behind each layer: expected "
        "one process, found several that have some heads each; start it without torchrun, srun or "
        "scripts/launch.sh");
  }
}

}  // namespace

// Who looks at the rows of a step; nothing where nobody does.
std::optional<InnerView> ExploreLoop::view_of(const PlaceTree& places,
                                              std::span<const PlaceRow> rows) {
  std::vector<InnerView::Row> looked_at;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto look = looks_.find(rows[i]);
    if (look == looks_.end()) continue;
    looked_at.push_back({static_cast<std::int64_t>(i), &look->second, places.keys_of(rows[i])});
  }
  if (looked_at.empty()) return {};
  if (decoder_.team() != nullptr) check_can_follow(looked_at);
  const Observe& observe = options_.observe;
  if (!label_head_) {
    label_head_.emplace();
    if ((observe.shows_lens || observe.shows_parts) && !observe.watched.empty()) {
      label_head_ = make_label_head(decoder_, observe.watched);
    }
  }
  return std::make_optional<InnerView>(decoder_, observe, *label_head_, std::move(looked_at));
}

// Reads hidden states [R, C]; those of a row are of several places where prompts are equal.
//   inside  of the rows that are looked at, one after the other
void ExploreLoop::tell(const at::Tensor& hidden,
                       std::span<const std::vector<PlaceRow>> places_of_rows,
                       std::span<const Inside> inside) {
  const Observe& observe = options_.observe;
  std::size_t n_looked_at = 0;
  for (std::int64_t first = 0; first < hidden.size(0); first += kRowsPerHead) {
    const std::int64_t n = std::min(kRowsPerHead, hidden.size(0) - first);
    const at::Tensor logits = decoder_.logits(hidden.narrow(0, first, n));
    const std::vector<StepReading> readings =
        read_step(logits, observe.watched, observe.n_top_tokens);
    const at::Tensor shown = observe.shows_logits ? logits.cpu() : at::Tensor();
    for (std::int64_t r = 0; r < n; ++r) {
      Place place;
      place.step = &readings[r].step;
      if (looks_.contains(places_of_rows[first + r].front())) {
        place.inside = &inside[n_looked_at++];
      }
      if (shown.defined()) {
        place.logits = {shown.const_data_ptr<float>() + r * shown.size(1),
                        static_cast<std::size_t>(shown.size(1))};
      }
      for (const PlaceRow& of_row : places_of_rows[first + r]) {
        Traveller& traveller = travellers_[of_row.path];
        if (traveller.failure) continue;
        if (readings[r].has_nan) {
          traveller.failure =
              "logits are not numbers; float16 overflows in some models, use bfloat16 or float32";
          continue;
        }
        place.prompt = traveller.prompt;
        place.id = of_row.place;
        explorer_.reach(place);
      }
    }
  }
}

}  // namespace labelprobe::model
