#include "labelprobe/experiment/inspection.h"

#include <map>
#include <numeric>
#include <utility>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/run.h"

#include "experiment/explore/inner_explorer.h"

namespace labelprobe::experiment {

namespace {

constexpr const char* kAnswer = "answer";

std::int64_t count_positions(const model::Positions& positions) {
  std::int64_t n = 0;
  for (const model::PositionRange& range : positions) n += range.end - range.begin;
  return n;
}

// Each label with its place among the watched tokens.
using Columns = std::vector<std::pair<std::string, std::size_t>>;

// What is known of a prompt while it is explored.
struct Open {
  model::Generation answer;
  record::ItemRecord item;
  std::vector<std::vector<TextPart>> parts;  // by label step
};

// Asks for the places and makes inspections of what is seen there.
class Inspector {
 public:
  Inspector(const Settings& settings,
            const Preparation& preparation,
            const InspectionOptions& options,
            const std::function<void(std::size_t, Inspection)>& sink)
      : settings_(settings), preparation_(preparation), options_(options), sink_(sink) {}

  int n_looks() const {
    // first_token, instruction, demonstrations, input, rest, answer
    constexpr int kMostParts = 6;
    return options_.knockouts ? 1 + kMostParts : 1;
  }

  std::vector<InnerPlace> places(std::size_t query, const model::Generation& answer) {
    Open& of = open_[query];
    of.answer = answer;
    of.item = item_of(preparation_, settings_, query, answer);
    of.parts.clear();
    const TokenIds& prompt = preparation_.prompts[query];
    const std::vector<TextPart> of_prompt =
        parts_of_prompt(preparation_.questions.queries[query], preparation_.answers.stop, prompt,
                        *preparation_.tokenizer);
    std::vector<InnerPlace> places;
    for (const record::LabelStep& step : of.item.label_steps) {
      std::vector<TextPart>& parts = of.parts.emplace_back(of_prompt);
      const auto n_prompt = static_cast<std::int64_t>(prompt.size());
      const std::int64_t index = step.index.value();
      if (index > 0) parts.push_back({kAnswer, {{n_prompt, n_prompt + index}}});
      InnerPlace& whole = places.emplace_back();
      whole.index = index;
      whole.look.shows_vocabulary = options_.lens_vocabulary;
      if (options_.attention) {
        for (const TextPart& part : parts) whole.look.attention_to.push_back(part.positions);
      }
      if (!options_.knockouts) continue;
      for (const TextPart& part : parts) places.push_back({index, {{}, part.positions}});
    }
    return places;
  }

  void take(std::size_t query, std::vector<InnerSight> seen) {
    Open of = std::move(open_[query]);
    open_.erase(query);
    Inspection inspection;
    std::size_t next = 0;
    for (std::size_t t = 0; t < of.item.label_steps.size() && next < seen.size(); ++t) {
      const record::LabelStep& step = of.item.label_steps[t];
      InspectedStep& made = inspection.steps.emplace_back();
      made.number = static_cast<std::int64_t>(t) + 1;
      made.index = step.index.value();
      made.logits = step.logits;
      made.log_sum_exp = step.log_sum_exp.value_or(0.0F);
      const model::Inside& inside = seen[next++].inside;
      const Columns columns = label_columns(of, t);
      made.lens = by_label(columns, inside.lens);
      made.lens_log_sum_exp = inside.lens_log_sum_exp;
      made.lens_ranks = ranks_by_label(columns, inside.lens_ranks);
      made.parts = by_label(columns, inside.parts);
      for (std::size_t p = 0; p < of.parts[t].size(); ++p) {
        InspectedStep::Part& part = made.text_parts.emplace_back();
        part.name = of.parts[t][p].name;
        part.n_positions = count_positions(of.parts[t][p].positions);
        if (options_.attention) add_attention(columns, of.parts[t].size(), p, inside, part);
        if (options_.knockouts) {
          part.knocked_out = by_label(columns, seen[next++].step.watched_logits).front();
        }
      }
    }
    inspection.item = std::move(of.item);
    sink_(query, std::move(inspection));
  }

  void fail(std::size_t query, const std::string& failure) {
    model::Generation failed;
    failed.failure = failure;
    Inspection inspection;
    inspection.item = item_of(preparation_, settings_, query, failed);
    open_.erase(query);
    sink_(query, std::move(inspection));
  }

 private:
  // Which of the watched tokens a label step reads for each label: found out by an answer whose
  // logits are their places.
  Columns label_columns(const Open& of, std::size_t t) const {
    model::Generation answer = of.answer;
    const auto index = static_cast<std::size_t>(of.item.label_steps[t].index.value());
    std::vector<float>& logits = answer.steps[index].watched_logits;
    std::iota(logits.begin(), logits.end(), 0.0F);
    record::ItemRecord item;
    preparation_.answers.read(answer, nullptr, item);
    Columns columns;
    for (const auto& [name, column] : item.label_steps.at(t).logits) {
      columns.emplace_back(name, static_cast<std::size_t>(column));
    }
    return columns;
  }

  // Rows of the watched tokens' numbers, [n, n_watched], as numbers of the labels.
  std::vector<record::LabelValues> by_label(const Columns& columns,
                                            std::span<const float> rows) const {
    const std::size_t n_watched = preparation_.answers.watched.size();
    std::vector<record::LabelValues> values;
    for (std::size_t first = 0; first < rows.size(); first += n_watched) {
      record::LabelValues& row = values.emplace_back();
      for (const auto& [name, column] : columns) row.emplace_back(name, rows[first + column]);
    }
    return values;
  }

  std::vector<std::vector<std::int64_t>> ranks_by_label(const Columns& columns,
                                                        std::span<const std::int64_t> rows) const {
    const std::size_t n_watched = preparation_.answers.watched.size();
    std::vector<std::vector<std::int64_t>> ranks;
    for (std::size_t first = 0; first < rows.size(); first += n_watched) {
      std::vector<std::int64_t>& row = ranks.emplace_back();
      for (const auto& [name, column] : columns) row.push_back(rows[first + column]);
    }
    return ranks;
  }

  // The numbers of one part of the text, of all.
  void add_attention(const Columns& columns,
                     std::size_t n_parts,
                     std::size_t p,
                     const model::Inside& inside,
                     InspectedStep::Part& part) const {
    const std::size_t n_watched = preparation_.answers.watched.size();
    const std::size_t n_layers = inside.group_parts.size() / n_parts / n_watched;
    const std::size_t n_heads = inside.attention.size() / n_parts / n_layers;
    for (std::size_t layer = 0; layer < n_layers; ++layer) {
      double sum = 0.0;
      for (std::size_t head = 0; head < n_heads; ++head) {
        sum += inside.attention[(p * n_layers + layer) * n_heads + head];
      }
      part.attention.push_back(static_cast<float>(sum / static_cast<double>(n_heads)));
    }
    part.adds = by_label(
        columns,
        std::span(inside.group_parts).subspan(p * n_layers * n_watched, n_layers * n_watched));
  }

  const Settings& settings_;
  const Preparation& preparation_;
  const InspectionOptions& options_;
  const std::function<void(std::size_t, Inspection)>& sink_;
  std::map<std::size_t, Open> open_;
};

// Tells of failures, which an inner explorer keeps to itself.
class WithFailures final : public model::Explorer {
 public:
  WithFailures(InnerExplorer& inner, Inspector& inspector) : inner_(inner), inspector_(inspector) {}
  void begin(std::size_t prompt) override { inner_.begin(prompt); }
  void answer(std::size_t prompt, const model::Generation& answer) override {
    inner_.answer(prompt, answer);
  }
  void reach(const model::Place& place) override { inner_.reach(place); }
  void grow(std::size_t prompt, model::Frontier& next) override { inner_.grow(prompt, next); }
  void finish(std::size_t prompt, const std::optional<std::string>& failure) override {
    if (failure) {
      inspector_.fail(prompt, *failure);
    } else {
      inner_.finish(prompt, failure);
    }
  }

 private:
  InnerExplorer& inner_;
  Inspector& inspector_;
};

}  // namespace

void inspect_answers(model::LanguageModel& language_model,
                     const Settings& settings,
                     const Preparation& preparation,
                     const InspectionOptions& options,
                     const std::function<void(std::size_t query, Inspection)>& sink) {
  if (!settings.plan->lists_labels || !preparation.beginnings.empty()) {
    throw ConfigError("inspect looks at answers that list labels; those of plan '" +
                      std::string(settings.plan->name) + "' do not");
  }
  const ModelRequest request = make_model_request(language_model.info(), settings, preparation);
  Inspector inspector(settings, preparation, options, sink);
  InnerExplorer inner(
      request.prompts,
      [&](std::size_t query, const model::Generation& answer) {
        return inspector.places(query, answer);
      },
      [&](std::size_t query, std::vector<InnerSight> seen) {
        inspector.take(query, std::move(seen));
      });
  model::ExploreOptions asked =
      InnerExplorer::options_for(settings.max_new_tokens, inspector.n_looks());
  asked.observe.watched = preparation.answers.watched;
  asked.observe.shows_lens = true;
  asked.observe.shows_parts = true;
  asked.greedy = request.options;
  asked.batch_size = options.batch_size;
  asked.share_prefixes = options.share_prefixes;
  asked.is_answered = options.is_inspected;
  asked.on_work = options.on_work;
  WithFailures explorer(inner, inspector);
  language_model.explore(request.prompts, asked, explorer);
}

}  // namespace labelprobe::experiment
