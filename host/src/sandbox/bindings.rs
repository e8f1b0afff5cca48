//! The contract, as Rust sees it from the host's side. Generated, and nothing else.

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit/provider.wit",
        inline: "
            package keepfresh:everything;

            /// All that a plugin may import or export.
            world everything {
                include keepfresh:provider/full-plugin@1.0.0;
                import keepfresh:provider/reveal@1.0.0;
            }
        ",
        world: "keepfresh:everything/everything",
        imports: {
            "keepfresh:provider/http.send": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        with: {
            "keepfresh:provider/secrets.secret": crate::sandbox::secrets::handle::Handle,
            "keepfresh:provider/http.response": crate::sandbox::answers::answer::Answer,
        },
    });
}

pub(super) use generated::exports::keepfresh::provider as exports;
pub(super) use generated::keepfresh::provider as imports;
