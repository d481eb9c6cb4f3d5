#include "analysis/page/page_data.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/item_id.h"

#include "analysis/page/item_data.h"

namespace labelprobe::analysis {

namespace {

// The lines of a run's prompts, each once.
class PromptLines {
 public:
  // The numbers of a prompt's lines.
  std::vector<std::size_t> add(std::string_view prompt) {
    std::vector<std::size_t> numbers;
    for (std::size_t begin = 0; begin <= prompt.size();) {
      const std::size_t end = std::min(prompt.find('\n', begin), prompt.size());
      numbers.push_back(number_of(std::string(prompt.substr(begin, end - begin))));
      begin = end + 1;
    }
    if (n_prompts_++ == 0) {
      shared_ = numbers;
    } else {
      const auto parted =
          std::mismatch(shared_.begin(), shared_.end(), numbers.begin(), numbers.end());
      shared_.erase(parted.first, shared_.end());
    }
    return numbers;
  }

  // How many lines all prompts begin with; of one prompt none is shared.
  std::size_t n_shared() const { return n_prompts_ < 2 ? 0 : shared_.size(); }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::size_t number_of(std::string line) {
    const auto [found, is_new] = numbers_.try_emplace(std::move(line), lines_.size());
    if (is_new) lines_.push_back(found->first);
    return found->second;
  }

  std::vector<std::string> lines_;
  std::unordered_map<std::string, std::size_t> numbers_;
  std::vector<std::size_t> shared_;
  std::size_t n_prompts_ = 0;
};

// Ids of examples, each once, in the order of their items.
using ExampleIds = std::vector<std::string>;

using Items = std::vector<const record::ItemRecord*>;

std::string example_of(const record::ItemRecord& item) {
  return ItemId::parse(item.key, item.form()).example_id;
}

// The listed items of a run: the first ones, and annotators' items of the same examples.
Items listed(const ReportedRun& run, const ReportPage& page) {
  Items items;
  std::set<std::string> examples;
  const std::size_t n = std::min(run.log.items.size(), page.limit.value_or(run.log.items.size()));
  for (std::size_t i = 0; i < n; ++i) {
    items.push_back(&run.log.items[i]);
    examples.insert(example_of(run.log.items[i]));
  }
  for (const record::ItemRecord& item : run.annotator_items) {
    if (examples.contains(example_of(item))) items.push_back(&item);
  }
  return items;
}

void add_examples(const Items& items, ExampleIds& ids) {
  std::set<std::string> seen(ids.begin(), ids.end());
  for (const record::ItemRecord* item : items) {
    std::string id = example_of(*item);
    if (seen.insert(id).second) ids.push_back(std::move(id));
  }
}

PageJson numbers(const std::vector<double>& values) {
  PageJson list = PageJson::array();
  for (const double value : values) list.push_back(page_number(value));
  return list;
}

// `encode` of what `by_id` has of each example, null where it has nothing.
template <class ById, class Encode>
PageJson by_example(const ExampleIds& examples, const ById& by_id, const Encode& encode) {
  PageJson list = PageJson::array();
  for (const std::string& id : examples) {
    const auto found = by_id.find(id);
    list.push_back(found == by_id.end() ? PageJson() : encode(found->second));
  }
  return list;
}

// Whether the shares are soft labels, and nobody is known to have voted.
bool are_soft(const ExampleVotes& votes) {
  return votes.n_annotators == 0;
}

PageJson votes_data(const ReportVotes& set, const ExampleIds& examples) {
  const auto encode = [](const ExampleVotes& votes) {
    PageJson list = numbers(votes.shares);
    list.insert(list.begin(), are_soft(votes) ? PageJson() : PageJson(votes.n_annotators));
    return list;
  };
  const bool is_soft =
      !set.votes.empty() && std::all_of(set.votes.begin(), set.votes.end(),
                                        [](const auto& votes) { return are_soft(votes.second); });
  return {{"task", set.task},
          {"labels", set.label_set.names()},
          {"are_shares", is_soft},
          {"examples", examples},
          {"of", by_example(examples, set.votes, encode)}};
}

PageJson estimates_data(const ReportedRun& run, const ExampleIds& examples) {
  PageJson list = PageJson::array();
  for (const ReportedEstimate& estimate : run.estimates) {
    list.push_back(
        {{"title", estimate.title}, {"of", by_example(examples, estimate.probs, numbers)}});
  }
  return list;
}

// What the metrics say of every example.
PageJson measures_data(const ReportedRun& run, const ReportPage& page, const ExampleIds& examples) {
  PageJson list = PageJson::array();
  const std::string name = record::describe(run.log);
  for (const AlignmentTable& table : page.tables) {
    for (const AlignmentRow& row : table.rows) {
      if (row.run != name || !row.alignment) continue;
      for (const Measured& measured : row.alignment->metrics) {
        if (measured.by_example.empty()) continue;
        std::map<std::string_view, double> values;
        for (std::size_t i = 0; i < measured.by_example.size(); ++i) {
          values[row.alignment->example_ids[i]] = measured.by_example[i];
        }
        list.push_back(
            {{"method", row.method + (row.answer.empty() ? "" : fmt::format(" ({})", row.answer))},
             {"metric", std::string(measured.metric->title)},
             {"of", by_example(examples, values, page_number)}});
      }
    }
  }
  return list;
}

PageJson run_data(const ReportedRun& run, const ReportPage& page) {
  const Items items = listed(run, page);
  LabelLists label_lists;
  PromptLines lines;
  PageJson of_items = PageJson::array();
  for (const record::ItemRecord* item : items) {
    PageJson node = item_data(*item, label_lists);
    if (const auto found = run.prompts.find(item->key); found != run.prompts.end()) {
      node["prompt"] = lines.add(found->second);
    }
    if (const auto found = run.inside.find(item->key); found != run.inside.end()) {
      node["inside"] = inside_data(found->second, label_lists);
    }
    of_items.push_back(std::move(node));
  }
  const ItemForm& form = items.empty() ? kPlainItems : items.front()->form();
  PageJson words = PageJson::array();
  for (const std::string_view word : form.words) {
    if (!word.empty()) words.push_back(std::string(word));
  }
  ExampleIds examples;
  add_examples(items, examples);
  return {{"name", record::describe(run.log)},
          {"task", run.task},
          {"plan", run.log.plan},
          {"model", run.log.model},
          {"form", std::string(form.name)},
          {"words", std::move(words)},
          {"n_items", run.log.items.size() + run.annotator_items.size()},
          {"votes", run.votes ? PageJson(*run.votes) : PageJson()},
          {"label_lists", label_lists.lists()},
          {"lines", lines.lines()},
          {"n_shared", lines.n_shared()},
          {"items", std::move(of_items)},
          {"examples", examples},
          {"estimates", estimates_data(run, examples)},
          {"measures", measures_data(run, page, examples)}};
}

}  // namespace

std::string page_data(const ReportPage& page) {
  PageJson data = {{"format", 1}};
  data["votes"] = PageJson::array();
  for (std::size_t i = 0; i < page.votes.size(); ++i) {
    ExampleIds examples;
    for (const ReportedRun& run : page.runs) {
      if (run.votes == i) add_examples(listed(run, page), examples);
    }
    data["votes"].push_back(votes_data(page.votes[i], examples));
  }
  data["runs"] = PageJson::array();
  for (const ReportedRun& run : page.runs) data["runs"].push_back(run_data(run, page));
  return data.dump(-1, ' ', false, PageJson::error_handler_t::replace);
}

}  // namespace labelprobe::analysis
