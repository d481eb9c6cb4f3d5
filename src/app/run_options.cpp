#include <array>

#include "options.h"

namespace labelprobe::app {

namespace {

using enum OptionType;

// Every option of a run, in the order --help shows them.
constexpr std::array kRunOptions = {
    OptionInfo{"root_dir", Text, kDataGroup, "Folder of the data set's files"},
    OptionInfo{"train_splits", TextList, kDataGroup, "Splits that demonstrations are drawn from"},
    OptionInfo{"test_splits", TextList, kDataGroup, "Splits that are asked about"},
    OptionInfo{"train_ids_filename", TextList, kDataGroup,
               "Id lists, one per train split: only these ids"},
    OptionInfo{"test_ids_filename", TextList, kDataGroup,
               "Id lists, one per test split: only these ids"},
    OptionInfo{"annotation_mode", Text, kDataGroup,
               "Whose labels are the gold: aggregate, annotator or both", "aggregate", true, 0},
    OptionInfo{"train_debug_len", Range, kDataGroup,
               "Only these positions of each annotator's train examples: K or A B"},
    OptionInfo{"test_debug_len", Range, kDataGroup,
               "Only these positions of each annotator's test examples: K or A B"},
    OptionInfo{"train_debug_ann", Range, kDataGroup,
               "Only these train annotators, most productive first: K or A B"},
    OptionInfo{"test_debug_ann", Range, kDataGroup,
               "Only these test annotators, most productive first: K or A B"},
    OptionInfo{"train_keep_same_examples", Flag, kDataGroup,
               "Only train examples that every annotator has"},
    OptionInfo{"test_keep_same_examples", Flag, kDataGroup,
               "Only test examples that every annotator has"},
    OptionInfo{"keep_one_after_filtering", Flag, kDataGroup,
               "One copy of each example, as `aggregate`"},
    OptionInfo{"text_preprocessor", Boolean, kDataGroup,
               "Clean texts as the data set's source domain asks", "false"},
    OptionInfo{"emotion_clustering_json", Text, kDataGroup,
               "GoEmotions: file of emotion clusters that become the labels"},

    OptionInfo{"system_prompt", TextOrFile, kPromptGroup, "Before everything; one space = none"},
    OptionInfo{"instruction_prompt", TextOrFile, kPromptGroup,
               "Before the demonstrations; may hold {labels}"},
    OptionInfo{"incontext_prompt", TextOrFile, kPromptGroup,
               "Template of a demonstration: {text} and {label}"},
    OptionInfo{"query_prompt", TextOrFile, kPromptGroup,
               "Template of the query: {text} (default: the demonstration's, up to its label)"},
    OptionInfo{"user_prompt", TextOrFile, kPromptGroup,
               "First half of a demonstration, where incontext_prompt is not given"},
    OptionInfo{"assistant_prompt", TextOrFile, kPromptGroup,
               "Second half of a demonstration, where incontext_prompt is not given"},
    OptionInfo{"label_format", Text, kPromptGroup,
               "How labels are written: default, json, json-KEY or polysyndeton", "", true, 0},
    OptionInfo{"shot", Integer, kPromptGroup, "Number of demonstrations (required)", "", true, 1},
    OptionInfo{"sampling_strategy", Text, kPromptGroup,
               "How demonstrations are drawn: random, uniform, multilabel or multilabel_RATIO", "",
               true, 1},
    OptionInfo{"fresh_demonstrations", Flag, kPromptGroup,
               "Draw demonstrations anew for every query instead of once per run"},
    OptionInfo{"seed", Integer, kPromptGroup, "Seed of the demonstrations", "0", false},
    OptionInfo{"limit", Integer, kPromptGroup, "Only the first N queries"},

    OptionInfo{"model_name_or_path", Text, kModelGroup,
               "Model folder, .gguf file, or name in the Hugging Face cache (required)", "", true,
               2},
    OptionInfo{"max_new_tokens", Integer, kModelGroup,
               "Tokens generated per query at most (required)"},
    OptionInfo{"model_dtype", Text, kModelGroup, "Precision: float32, bfloat16 or float16",
               "float32"},
    OptionInfo{"device", Text, kModelGroup, "auto, cpu, cuda or cuda:N", "auto"},
    OptionInfo{"batch_size", Integer, kModelGroup,
               "Prompts computed together at most; 0 = chosen by the program", "0", false},
    OptionInfo{"threads", Integer, kModelGroup, "CPU threads; 0 = one per physical core", "0",
               false},
    OptionInfo{"no_share_prefixes", Flag, kModelGroup,
               "Compute every prompt in full, for comparison", "", false},
    OptionInfo{
        "label_variants", Text, kModelGroup,
        "Count `joy` and ` joy` as the same label (both), or only the template's own form (strict)",
        "both"},

    OptionInfo{"distribution", Text, kRunGroup,
               "What is asked of each example (see: labelprobe ls distributions)", "baseline", true,
               3},
    OptionInfo{"dry_run", Flag, kRunGroup, "Show what would be done and stop", "", false},
    OptionInfo{"disable_tqdm", Flag, kRunGroup, "No progress display", "", false},
    OptionInfo{"accelerate", Flag, kRunGroup,
               "Accepted for compatibility: the device is chosen by --device", "", false},
    OptionInfo{"trust_remote_code", Flag, kRunGroup,
               "Accepted for compatibility: no code of a model is ever run", "", false},

    OptionInfo{"log_root", Text, kLogGroup, "Folder that all logs go below", "./logs", false},
    OptionInfo{"alternative_experiment_name", Text, kLogGroup,
               "Log folder name; {parameter} is replaced, '/' makes sub-folders", "", false},
    OptionInfo{"description", Text, kLogGroup, "Short name that prefixes this run's extra files",
               "", false},
    OptionInfo{"logging_level", Text, kLogGroup, "debug, info, warning or error", "info", false},
    OptionInfo{"logs_precision", Integer, kLogGroup,
               "Decimals kept of logged numbers (default: all)", "", false},
};

}  // namespace

std::span<const OptionInfo> run_options() {
  return kRunOptions;
}

}  // namespace labelprobe::app
