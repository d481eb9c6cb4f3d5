// What stands in for templates that are not given; all other templates are data (configs/).
#pragma once

#include <string_view>

namespace labelprobe::prompt {

// Published: the public Llama-2 default system prompt. The published runs switch it off with ' '.
inline constexpr std::string_view kPublishedSystem =
    "You are a helpful, respectful and honest assistant. Always answer as helpfully as possible, "
    "while being safe. Your answers should not include any harmful, unethical, racist, sexist, "
    "toxic, dangerous, or illegal content. Please ensure that your responses are socially unbiased "
    "and positive in nature.\n"
    "\n"
    "If a question does not make any sense, or is not factually coherent, explain why instead of "
    "answering something not correct. If you don't know the answer to a question, please don't "
    "share false information.\n"
    "\n";

inline constexpr std::string_view kDefaultMultiLabelInstruction =
    "Classify the following examples as none, one, or many of the following: {labels}.\n\n";
inline constexpr std::string_view kDefaultSingleLabelInstruction =
    "Classify the following examples as one of the following: {labels}.\n\n";

// Labelling: a demonstration. The cue `Label:` is where the query ends.
inline constexpr std::string_view kLabellingMultiLabelIncontext =
    "Input: {text}\nLabels: {label}\n\n";
inline constexpr std::string_view kLabellingSingleLabelIncontext =
    "Input: {text}\nLabel: {label}\n\n";

inline constexpr std::string_view kDefaultUser = "{text}";
inline constexpr std::string_view kDefaultAssistant = "{label}";

// Pair prompts. Published as template files, where the first sentence names the task (`emotion
// label`, `moral label`, `harm label`).
inline constexpr std::string_view kDefaultPairInstruction =
    "Assess the reasonableness of the provided label for each input. Namely, evaluate whether the "
    "label makes sense for its corresponding input, under some reasonable interpretation. Reply "
    "only with {labels}.\n\n";
inline constexpr std::string_view kDefaultPairIncontext =
    "Input: `{text}`\nLabel: {label}\nAssessment: {r}\n\n";

// Given in place of a system or instruction text, it means the empty text.
inline constexpr std::string_view kEmptyMark = " ";

}  // namespace labelprobe::prompt
