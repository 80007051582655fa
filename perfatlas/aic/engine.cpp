// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/engine.h"

#include "perfatlas/aic/bind.h"
#include "perfatlas/aic/database.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

BoundOp::BoundOp(std::unique_ptr<const Pricer> pricer) : pricer_(std::move(pricer)) {}
BoundOp::BoundOp(BoundOp&&) noexcept = default;
BoundOp& BoundOp::operator=(BoundOp&&) noexcept = default;
BoundOp::~BoundOp() = default;

Price BoundOp::price(const PhasePoint& at) const { return pricer_->price(at); }
std::string BoundOp::explain(const PhasePoint& at) const { return pricer_->explain(at); }
Ground BoundOp::ground(const PhasePoint& at) const { return pricer_->ground(at); }
std::optional<MoeCommFallback> BoundOp::comm_fallback() const { return pricer_->comm_fallback(); }

View::View(std::shared_ptr<const Database> database, ViewOptions options)
    : database_(std::move(database)), options_(options) {}

BoundOp View::bind(const Op& op) const {
  const bool measured = options_.mode == Mode::silicon || options_.mode == Mode::hybrid;
  const bool shared = options_.shared_layer.value_or(measured);
  return BoundOp(bind_op(op, {.database = *database_,
                              .mode = options_.mode,
                              .transfers = options_.transfers,
                              .shared = shared ? SharedLayer::on : SharedLayer::off}));
}

Engine::Engine(std::shared_ptr<const Database> database) : database_(std::move(database)) {}

Engine Engine::open(const SystemsRoot& root, const std::string& system, const std::string& backend,
                    const std::string& version) {
  (void)root.system(system);  // an unknown system is named before an unknown version
  return Engine(std::make_shared<const Database>(root, system, backend,
                                                 root.resolve_version(system, backend, version)));
}

Engine Engine::described(const SystemsRoot& root, const std::string& system, const std::string& backend) {
  (void)root.system(system);
  return Engine(std::make_shared<const Database>(root, system, backend, std::string(kNoTables)));
}

View Engine::view(ViewOptions options) const { return {database_, options}; }

}  // namespace perfatlas::aic
