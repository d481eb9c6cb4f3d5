#include "experiment/report/remade_prompts.h"

#include <filesystem>

#include <fmt/format.h>

#include "labelprobe/core/fingerprint.h"
#include "labelprobe/experiment/preparation.h"

namespace labelprobe::experiment {

namespace {

std::string chat_text(const std::vector<prompt::Message>& messages) {
  std::string text;
  for (const prompt::Message& message : messages) {
    text += fmt::format("{}--- {} ---\n{}", text.empty() ? "" : "\n",
                        prompt::role_name(message.role), message.content);
  }
  return text;
}

// A data file that the run read and that is another one now; empty if there is none. Files may have
// moved: their names count.
std::string find_changed(const std::map<std::string, std::string>& now,
                         std::span<const record::Provenance> provenance) {
  std::map<std::filesystem::path, std::string> by_name;
  for (const auto& [path, fingerprint] : now) {
    by_name[std::filesystem::path(path).filename()] = fingerprint;
  }
  for (const record::Provenance& made : provenance) {
    for (const auto& [path, fingerprint] : made.data_files) {
      const auto found = by_name.find(std::filesystem::path(path).filename());
      if (found == by_name.end() || found->second != fingerprint) return path;
    }
  }
  return "";
}

}  // namespace

RemadePrompts remake_prompts(const Settings& settings,
                             const std::vector<const record::ItemRecord*>& items,
                             std::span<const record::Provenance> provenance) {
  const Questions questions = make_questions(settings);
  RemadePrompts made;
  const bool is_chat = settings.mode == prompt::PromptMode::Chat;
  if (is_chat) {
    const std::string changed = find_changed(questions.data_files, provenance);
    if (!changed.empty()) {
      made.notes.push_back(
          fmt::format("The prompts are left out: {} is another file than the run read.", changed));
      return made;
    }
  }
  std::map<std::string, const prompt::Query*> by_key;
  for (const prompt::Query& query : questions.queries) by_key[query.item.log_key()] = &query;
  std::size_t n_differing = 0;
  for (const record::ItemRecord* item : items) {
    const auto found = by_key.find(item->key);
    if (found != by_key.end() && is_chat) {
      made.texts[item->key] = chat_text(found->second->messages);
    } else if (found != by_key.end() &&
               item->prompt_fingerprint == fingerprint(found->second->text)) {
      made.texts[item->key] = found->second->text;
    } else {
      ++n_differing;
    }
  }
  if (n_differing > 0) {
    made.notes.push_back(fmt::format(
        "{} of {} prompts are left out: made anew from the run's settings and the data that are "
        "here, they are not those whose hashes the log has.",
        n_differing, items.size()));
  }
  if (is_chat) {
    made.notes.emplace_back(
        "Prompts are shown as the messages of a chat, without what the model's chat format puts "
        "around them.");
  }
  return made;
}

}  // namespace labelprobe::experiment
