#include <array>

#include "app/commands/command.h"

namespace labelprobe::app {

namespace {

// Every subcommand, in the order of a day's work.
constexpr std::array kCommands = {
    Command{
        "run", "Ask a model about every example and log the label probabilities",
        "labelprobe run GoEmotions --config configs/example/config.yaml --model-name-or-path MODEL",
        declare_run, true},
    Command{"classify",
            "Prompt a model for the labels of every example, annotators' items included",
            "labelprobe classify GoEmotions --config configs/example/config.yaml "
            "--model-name-or-path MODEL",
            declare_classify, true},
    Command{"assess", "Ask a model whether the label shown with a text is reasonable",
            "labelprobe assess GoEmotions --config configs/example/assess.yaml "
            "--model-name-or-path MODEL",
            declare_assess, true},
    Command{"show", "Print a run's log for people: texts, labels, probabilities at each step",
            "labelprobe show logs/GoEmotions/example_0 --items 3", declare_show},
    Command{"align", "Compare the distributions of runs with what annotators chose: NLL, L1, F1",
            "labelprobe align GoEmotions --config configs/GoEmotions/pipeline.yaml --id-list "
            "main_test_set --model MODEL",
            declare_align},
    Command{"compare",
            "Compare two runs of the same items: probabilities, flips, margins; f32 against FP4",
            "labelprobe compare logs/GoEmotions/example_0/experiment_0 logs/GoEmotions/example_1 "
            "--plot scatter.svg",
            declare_compare},
    Command{"distributions", "Write the label distributions of runs item by item, and the votes",
            "labelprobe distributions GoEmotions RUN_FOLDER --config "
            "configs/GoEmotions/pipeline.yaml --out distributions.yml",
            declare_distributions},
    Command{"data", "Show what a run would see of a data set: counts, labels, annotators, examples",
            "labelprobe data GoEmotions --config configs/example/config.yaml --show 2",
            declare_data},
    Command{"ids", "Draw a balanced list of example ids that runs are to be compared on",
            "labelprobe ids Hatexplain --root-dir data/HateXplain --test-splits test "
            "--annotation-mode both --n 200 --out my_ids.txt",
            declare_ids},
    Command{"prompts", "Write the prompts of a run as JSON lines, without a model",
            "labelprobe prompts GoEmotions --config configs/example/config.yaml --out -",
            declare_prompts, true},
    Command{"generate", "Continue prompts greedily and write tokens, text and logits",
            "labelprobe generate --model-name-or-path MODEL --prompts prompts.jsonl "
            "--max-new-tokens 18 --out -",
            declare_generate},
    Command{"tokenize", "Turn JSON strings on standard input into token ids",
            "echo '\"Hello world\"' | labelprobe tokenize --model-name-or-path MODEL",
            declare_tokenize},
    Command{"make-model", "Write a checkpoint with random weights in the shape of a known model",
            "labelprobe make-model --shape llama-3.1-8b --out models/random-8b --tokenizer "
            "models/tokenizer",
            declare_make_model},
    Command{"ls",
            "List what the program knows: data sets, distributions, samplers, formats, models",
            "labelprobe ls datasets", declare_ls},
};

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

}  // namespace labelprobe::app
