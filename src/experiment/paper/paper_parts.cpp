// The tables of this file say what the paper is made of.
#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/paper.h"

namespace labelprobe::experiment {

namespace {

using Arguments = std::vector<std::string>;

void append(Arguments& arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
}

// A run of a published pipeline.
template <const std::string_view& distribution>
Arguments pipeline_arguments(const std::string& task, const PaperOptions& options) {
  return run_arguments({task, std::string(distribution)}, options.cells);
}

Arguments tuned_arguments(const std::string& task, const PaperOptions& options) {
  if (options.tuned.empty()) {
    throw ConfigError(
        "no fine-tuned form of the model was given (labelprobe finetune makes "
        "one, --tuned names it)");
  }
  CellOptions cells = options.cells;
  const bool is_adapter = std::filesystem::is_regular_file(std::filesystem::path(options.tuned) /
                                                           "adapter_config.json");
  if (is_adapter) {
    cells.flags.insert(
        cells.flags.end(),
        {"--adapter", options.tuned, "--alternative-experiment-name",
         find_id_list(task, cells).name + "/{distribution}/SFT-{model_name_or_path}"});
  } else {
    cells.model = options.tuned;
  }
  return run_arguments({task, "baseline"}, cells);
}

// On items with several labels.
Arguments order_arguments(const std::string& task, const PaperOptions& options) {
  constexpr std::array<std::string_view, 2> kLists = {"big_multilabel", "ours_multilabel_200"};
  CellOptions cells = options.cells;
  for (const std::string_view name : kLists) {
    cells.id_list = std::string(name);
    if (std::filesystem::is_regular_file(cells.id_root / task / (*cells.id_list + ".txt"))) {
      return run_arguments({task, "baseline"}, cells);
    }
  }
  throw ConfigError(fmt::format("no list of items with several labels: expected {}.txt in {}",
                                fmt::join(kLists, ".txt or "), (cells.id_root / task).string()));
}

// `labelprobe classify` with a set's own prompts.
Arguments plain_arguments(const std::string& task, const PaperOptions& options) {
  Arguments arguments = {"classify", task, "--config",
                         (options.cells.config_root / task / "config.yaml").string()};
  append(arguments, root_arguments(task, options.cells));
  append(arguments, {"--annotation-mode", "aggregate"});
  // As published: the format of Boxes is that of its config.
  append(arguments, task == "Boxes" ? Arguments{"--shot", "5", "--max-new-tokens", "21"}
                                    : Arguments{"--shot", "10", "--max-new-tokens", "20",
                                                "--label-format", "json"});
  return arguments;
}

// The whole train split is asked about; demonstrations come from dev.
Arguments steps_arguments(const std::string& task, const PaperOptions& options) {
  Arguments arguments = plain_arguments(task, options);
  append(arguments, {"--test-splits", "train", "--train-splits", "dev", "--linear-probing",
                     "--alternative-experiment-name", "{model_name_or_path}-lb-{shot}-shot"});
  append(arguments, common_arguments(options.cells, options.split_limit));
  return arguments;
}

// Items whose hidden states are scored by the probes of the run above.
Arguments scored_arguments(const std::string& task, const PaperOptions& options) {
  Arguments arguments = plain_arguments(task, options);
  append(arguments,
         {"--test-splits", "dev", "test", "--train-splits", "train", "--hidden-states", "-1"});
  const IdList list = find_id_list(task, options.cells);
  std::string name = "{model_name_or_path}-lb-eval-{shot}-shot";
  if (!list.file.empty()) {
    append(arguments, {"--test-ids-filename", list.file.string()});
    name = list.name + "/" + name;
  }
  append(arguments, {"--alternative-experiment-name", name});
  append(arguments, common_arguments(options.cells, options.cells.limit));
  return arguments;
}

constexpr std::string_view kBaseline = "baseline";
constexpr std::string_view kUnary = "unary";
constexpr std::string_view kBinary = "binary";
constexpr std::string_view kMultilabelIcl = "multilabel_ICL";

constexpr std::array kKinds = {
    PaperRunKind{"baseline", "which labels?", pipeline_arguments<kBaseline>},
    PaperRunKind{"tuned", "the same, asked of the fine-tuned model", tuned_arguments},
    PaperRunKind{"scored", "hidden states of the same items, for probes", scored_arguments},
    PaperRunKind{"order", "which labels?, of items with several", order_arguments},
    PaperRunKind{"unary", "is this label reasonable?", pipeline_arguments<kUnary>},
    PaperRunKind{"multilabel_ICL", "more and more demonstrations with several labels",
                 pipeline_arguments<kMultilabelIcl>},
    PaperRunKind{"steps", "plain prompts on the train split; hidden states and attention",
                 steps_arguments},
    PaperRunKind{"binary", "this label or that one?", pipeline_arguments<kBinary>},
};

using Sets = std::vector<std::string_view>;

const std::vector<PaperPart>& parts() {
  static const Sets kVoted = {"GoEmotions", "MFRC", "Hatexplain", "MSPPodcast"};
  static const Sets kMultilabel = {"GoEmotions", "MFRC"};
  static const Sets kThree = {"GoEmotions", "MFRC", "SemEval"};
  static const Sets kStepSets = {"SemEval", "GoEmotions", "MFRC", "Boxes"};
  static const std::vector<PaperPart::Need> kAlignment = {
      {"baseline", kVoted},   {"unary", kVoted},      {"binary", kVoted},
      {"tuned", kMultilabel}, {"steps", kMultilabel}, {"scored", kMultilabel}};
  static const std::vector<PaperPart::Need> kSteps = {{"steps", kStepSets}};
  static const std::vector<PaperPart> all = {
      {"table1", "Table 1", "alignment with annotators, beside Llama3 70B", kAlignment},
      {"table2", "Table 2", "linear probes on hidden states", {{"steps", kThree}}},
      {"table3", "Table 3", "examples of prompts", {}},
      {"table4", "Table 4", "second labels that are never predicted", kSteps},
      {"table5", "Table 5", "alignment with annotators, beside Llama3 8B", kAlignment},
      {"table6", "Table 6", "attention to the prompt and to the labels before", kSteps},
      {"figure2", "Figure 2", "the likeliest label, last step against earlier ones", kSteps, "top"},
      {"figure3", "Figure 3", "the second label, and what is predicted next", kSteps, "second"},
      {"figure4",
       "Figure 4",
       "sorted label probabilities at the first step",
       {{"baseline", kMultilabel}, {"multilabel_ICL", {"SemEval"}}},
       "spikiness"},
      {"figure5",
       "Figure 5",
       "accuracy of the first and the second label listed",
       {{"order", kMultilabel}},
       "label_order"},
      {"figure6",
       "Figure 6",
       "answers with several labels against demonstrations with several",
       {{"multilabel_ICL", kThree}},
       "multilabel_icl"},
      {"figure7",
       "Figure 7",
       "pairs by probabilities and by outcomes; in the paper probabilities have the better NLL",
       {{"binary", kVoted}},
       "binary"},
      {"figure8", "Figure 8", "both probabilities as boxes", kSteps, "probabilities"},
      {"figure9", "Figure 9", "entropy of the label steps", kSteps, "entropy"},
      {"figure10", "Figure 10", "when the second label is predicted later", kSteps, "later"},
      {"figure11",
       "Figure 11",
       "a base model against its chat model",
       {{"baseline", kVoted}, {"unary", kVoted}, {"binary", kVoted}},
       "base_chat"},
  };
  return all;
}

bool takes(std::span<const std::string> sets, std::string_view set) {
  return sets.empty() || std::find(sets.begin(), sets.end(), set) != sets.end();
}

void check_sets(std::span<const std::string> sets) {
  std::vector<std::string> known;
  for (const PaperPart& part : parts()) {
    for (const PaperPart::Need& need : part.needs) {
      for (const std::string_view set : need.sets) {
        if (std::find(known.begin(), known.end(), set) == known.end()) known.emplace_back(set);
      }
    }
  }
  for (const std::string& set : sets) {
    if (std::find(known.begin(), known.end(), set) == known.end()) {
      throw ConfigError("--sets: " + unknown_choice("data set of the paper", set, known));
    }
  }
}

}  // namespace

std::span<const PaperRunKind> paper_run_kinds() {
  return kKinds;
}

std::span<const PaperPart> paper_parts() {
  return parts();
}

std::vector<const PaperPart*> choose_paper_parts(std::span<const std::string> asked) {
  std::vector<std::string> known;
  for (const PaperPart& part : parts()) known.emplace_back(part.name);
  for (const std::string& name : asked) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw ConfigError("--parts: " + unknown_choice("part of the paper", name, known));
    }
  }
  std::vector<const PaperPart*> chosen;
  for (const PaperPart& part : parts()) {
    if (takes(asked, part.name)) chosen.push_back(&part);
  }
  return chosen;
}

std::vector<PaperCell> paper_cells(std::span<const PaperPart* const> chosen,
                                   std::span<const std::string> sets,
                                   std::size_t model) {
  check_sets(sets);
  std::vector<PaperCell> cells;
  for (const PaperRunKind& kind : kKinds) {
    for (const PaperPart* part : chosen) {
      for (const PaperPart::Need& need : part->needs) {
        if (need.kind != kind.name) continue;
        for (const std::string_view set : need.sets) {
          const PaperCell cell{model, &kind, std::string(set)};
          const bool is_there = std::any_of(cells.begin(), cells.end(), [&](const PaperCell& one) {
            return one.name() == cell.name();
          });
          if (takes(sets, set) && !is_there) cells.push_back(cell);
        }
      }
    }
  }
  return cells;
}

}  // namespace labelprobe::experiment
